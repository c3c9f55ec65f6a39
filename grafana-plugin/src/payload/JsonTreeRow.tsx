/** One row of a JSON tree: key, value or summary, and what can be done with it. Everything is text. */
import { css, cx } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { Badge, Icon, IconButton, useStyles2, useTheme2 } from '@grafana/ui';
import { copyText } from '../filters/copy-text.ts';
import { formatBytes, plural } from '../format/numbers.ts';
import { visibleText } from '../format/visible-text.ts';
import { childCount, isBranch, pathOf, type Json } from './json.ts';
import { jsonText } from './json-text.ts';
import type { TreeRow } from './json-tree.ts';
import { Slices } from './slices.ts';

export const TREE_ROW_PX = 22;
/** of a string that are shown in the tree; the rest opens below */
const SHOWN_CHARS = 160;
const INDENT = 2;
/** deeper ones do not move further to the right */
const MAX_INDENT = 24;

interface JsonTreeRowProps {
  readonly id: string;
  readonly row: TreeRow;
  readonly isActive: boolean;
  readonly isMarked: boolean;
  readonly isRedacted: boolean;
  readonly onToggle: () => void;
  readonly onShowText: (row: TreeRow) => void;
}

export function JsonTreeRow({ id, row, isActive, isMarked, isRedacted, onToggle, onShowText }: JsonTreeRowProps) {
  const theme = useTheme2();
  const styles = useStyles2(getStyles);
  const { step, value, isOpen, moreOf, depth } = row;
  return (
    <div
      id={id}
      role="treeitem"
      aria-level={depth + 1}
      aria-expanded={isBranch(value) && moreOf === undefined ? isOpen : undefined}
      aria-selected={isActive}
      className={cx(styles.row, isActive && styles.active, isMarked && styles.marked)}
      style={{ paddingLeft: theme.spacing(0.5 + Math.min(depth, MAX_INDENT) * INDENT) }}
      onClick={onToggle}
    >
      {moreOf !== undefined ? (
        <span className={styles.more}>Show more ({plural(moreOf, 'value')} not shown)</span>
      ) : (
        <>
          <span className={styles.fold}>
            {isBranch(value) && <Icon name={isOpen ? 'angle-down' : 'angle-right'} size="sm" />}
          </span>
          {depth > MAX_INDENT && <span className={styles.quiet}>level {depth} </span>}
          {step !== undefined && (
            <span className={styles.key}>{typeof step === 'number' ? step : visibleText(beginning(step))}: </span>
          )}
          <Value value={value} isOpen={isOpen} onShowText={() => onShowText(row)} />
          {isRedacted && <Badge text="redacted" color="orange" icon="eye-slash" className={styles.badge} />}
          {isActive && (
            <span className={styles.actions} onClick={(event) => event.stopPropagation()}>
              <IconButton name="copy" size="sm" tooltip="Copy the value" onClick={() => void copyValue(value)} />
              <IconButton name="link" size="sm" tooltip="Copy the path" onClick={() => void copyText(pathOf(row))} />
            </span>
          )}
        </>
      )}
    </div>
  );
}

interface ValueProps {
  readonly value: Json;
  readonly isOpen: boolean;
  readonly onShowText: () => void;
}

function Value({ value, isOpen, onShowText }: ValueProps) {
  const styles = useStyles2(getStyles);
  if (Array.isArray(value))
    return <span className={styles.quiet}>{isOpen ? '[' : `[ ${plural(value.length, 'item')} ]`}</span>;
  if (isBranch(value)) {
    return <span className={styles.quiet}>{isOpen ? '{' : `{ ${plural(childCount(value), 'key')} }`}</span>;
  }
  if (typeof value !== 'string') return <span className={styles.literal}>{String(value)}</span>;
  const isLong = value.length > SHOWN_CHARS || value.includes('\n');
  const shown = JSON.stringify(beginning(value));
  return (
    <>
      <span className={styles.string}>{visibleText(shown)}</span>
      {isLong && (
        <button
          type="button"
          className={styles.whole}
          onClick={(event) => {
            event.stopPropagation();
            onShowText();
          }}
        >
          show all {formatBytes(value.length)}
        </button>
      )}
    </>
  );
}

function beginning(text: string): string {
  return text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}…` : text;
}

async function copyValue(value: Json): Promise<void> {
  const slices = new Slices({ signal: new AbortController().signal });
  await copyText(typeof value === 'string' ? value : ((await jsonText(value, slices)) ?? ''));
}

const getStyles = (theme: GrafanaTheme2) => ({
  row: css({
    display: 'flex',
    alignItems: 'center',
    height: TREE_ROW_PX,
    paddingRight: theme.spacing(1),
    fontFamily: theme.typography.fontFamilyMonospace,
    fontSize: theme.typography.bodySmall.fontSize,
    whiteSpace: 'pre',
    unicodeBidi: 'plaintext',
    cursor: 'default',
    '&:hover': { background: theme.colors.background.secondary },
  }),
  active: css({ background: theme.colors.action.selected }),
  marked: css({ background: theme.colors.warning.transparent }),
  fold: css({ width: theme.spacing(2.5), flexShrink: 0, color: theme.colors.text.secondary }),
  key: css({ color: theme.colors.text.secondary }),
  quiet: css({ color: theme.colors.text.secondary }),
  string: css({ color: theme.colors.success.text }),
  literal: css({ color: theme.colors.primary.text }),
  more: css({ paddingLeft: theme.spacing(2.5), color: theme.colors.text.link }),
  whole: css({
    marginLeft: theme.spacing(1),
    padding: 0,
    background: 'none',
    border: 'none',
    color: theme.colors.text.link,
    fontSize: theme.typography.bodySmall.fontSize,
  }),
  badge: css({ marginLeft: theme.spacing(1) }),
  actions: css({
    display: 'inline-flex',
    gap: theme.spacing(0.5),
    marginLeft: theme.spacing(2),
    padding: theme.spacing(0, 0.5),
  }),
});
