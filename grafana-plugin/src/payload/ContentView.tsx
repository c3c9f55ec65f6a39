/** MCP content as what it is: text, image, resource, error. Markup is shown as text; SVG and unknown files are not drawn. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { Alert, Button, useStyles2 } from '@grafana/ui';
import { formatBytes } from '../format/numbers.ts';
import { visibleText } from '../format/visible-text.ts';
import { copyText } from '../filters/copy-text.ts';
import { download } from './download.ts';
import { JsonViewer } from './JsonViewer.tsx';
import type { ContentBlock } from './mcp-content.ts';
import { bytesOf } from './payload-body.ts';
import { VirtualText } from './VirtualText.tsx';

interface ContentViewProps {
  readonly blocks: readonly ContentBlock[];
  readonly fileName: string;
}

/** more blocks than anybody reads one by one; the JSON view has them all */
const MAX_BLOCKS = 50;

export function ContentView({ blocks, fileName }: ContentViewProps) {
  const styles = useStyles2(getStyles);
  return (
    <div className={styles.blocks}>
      {blocks.slice(0, MAX_BLOCKS).map((block, index) => (
        <section key={index} className={styles.block} aria-label={block.label}>
          <h3 className={styles.label}>{visibleText(block.label)}</h3>
          <Block block={block} fileName={`${fileName}-${index + 1}`} />
        </section>
      ))}
      {blocks.length > MAX_BLOCKS && <p>{blocks.length - MAX_BLOCKS} more are in the JSON view.</p>}
    </div>
  );
}

const TEXT_PX = 320;
/** of an error that is shown in one piece */
const SHORT_CHARS = 1000;

function Block({ block, fileName }: { readonly block: ContentBlock; readonly fileName: string }) {
  const styles = useStyles2(getStyles);
  switch (block.kind) {
    case 'text':
      return (
        <>
          <div className={styles.tools}>
            <Button size="sm" variant="secondary" icon="copy" onClick={() => void copyText(block.text)}>
              Copy
            </Button>
            <span className={styles.quiet}>
              {formatBytes(block.text.length)} {block.mimeType}
            </span>
          </div>
          <VirtualText text={block.text} label={block.label} maxHeightPx={TEXT_PX} />
        </>
      );
    case 'json':
      return <JsonViewer value={block.value} fileName={`${fileName}.json`} />;
    case 'image':
      return <img className={styles.image} alt={block.label} src={`data:${block.mimeType};base64,${block.base64}`} />;
    case 'file':
      return (
        <div className={styles.tools}>
          <span>
            {visibleText(block.mimeType)}, {formatBytes(Math.floor(block.base64.length * 0.75))}
          </span>
          <Button
            size="sm"
            variant="secondary"
            icon="download-alt"
            onClick={() => download(`${fileName}.bin`, fileBytes(block.base64))}
          >
            Download
          </Button>
        </div>
      );
    case 'link':
      return (
        <p className={styles.link}>
          <code>{visibleText(block.uri)}</code> {block.about !== undefined && visibleText(block.about)}
        </p>
      );
    case 'error':
      return (
        <Alert severity="error" title={visibleText(block.label)}>
          {block.text.length > SHORT_CHARS ? (
            <VirtualText text={block.text} label={block.label} maxHeightPx={TEXT_PX} />
          ) : (
            visibleText(block.text)
          )}
        </Alert>
      );
  }
}

/** What is no base64 is saved as it is. */
function fileBytes(base64: string): Uint8Array | string {
  try {
    return bytesOf(atob(base64));
  } catch {
    return base64;
  }
}

const getStyles = (theme: GrafanaTheme2) => ({
  blocks: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(2) }),
  block: css({ minWidth: 0 }),
  label: css({
    margin: theme.spacing(0, 0, 0.5),
    fontSize: theme.typography.body.fontSize,
    fontWeight: theme.typography.fontWeightMedium,
    overflowWrap: 'anywhere',
  }),
  tools: css({ display: 'flex', alignItems: 'center', gap: theme.spacing(1), marginBottom: theme.spacing(0.5) }),
  quiet: css({ color: theme.colors.text.secondary, fontSize: theme.typography.bodySmall.fontSize }),
  image: css({
    maxWidth: '100%',
    maxHeight: theme.spacing(60),
    border: `1px solid ${theme.colors.border.weak}`,
    borderRadius: theme.shape.radius.default,
  }),
  link: css({ overflowWrap: 'anywhere' }),
});
