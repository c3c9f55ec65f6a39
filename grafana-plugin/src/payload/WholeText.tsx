/** One long string of a payload, whole. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { IconButton, useStyles2 } from '@grafana/ui';
import { copyText } from '../filters/copy-text.ts';
import { VirtualText } from './VirtualText.tsx';

const MAX_PX = 240;

interface WholeTextProps {
  readonly path: string;
  readonly text: string;
  readonly onClose: () => void;
}

export function WholeText({ path, text, onClose }: WholeTextProps) {
  const styles = useStyles2(getStyles);
  return (
    <section aria-label={path}>
      <div className={styles.head}>
        <code className={styles.path}>{path}</code>
        <IconButton name="copy" tooltip="Copy the value" onClick={() => void copyText(text)} />
        <IconButton name="times" tooltip="Close" onClick={onClose} />
      </div>
      <VirtualText text={text} label={path} maxHeightPx={MAX_PX} />
    </section>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  head: css({ display: 'flex', alignItems: 'center', gap: theme.spacing(1), marginBottom: theme.spacing(0.5) }),
  path: css({ flex: 1, overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' }),
});
