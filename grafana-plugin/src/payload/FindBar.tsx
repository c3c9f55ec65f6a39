/** Search inside a payload: how many finds there are, and steps between them. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { Icon, IconButton, Input, useStyles2 } from '@grafana/ui';
import { formatCount } from '../format/numbers.ts';
import type { PayloadSearch } from './usePayloadSearch.ts';

export function FindBar({ search }: { readonly search: PayloadSearch<unknown> }) {
  const { text, count, isCut, at, setText, step } = search;
  const styles = useStyles2(getStyles);
  const said =
    text === ''
      ? ''
      : count === undefined
        ? 'searching'
        : count === 0
          ? 'not found'
          : `${formatCount(at + 1)} of ${formatCount(count)}${isCut ? '+' : ''}`;
  return (
    <div className={styles.bar}>
      <Input
        width={24}
        value={text}
        aria-label="Search in the payload"
        placeholder="Search in the payload"
        prefix={<Icon name="search" />}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') step(event.shiftKey ? -1 : 1);
        }}
      />
      <span className={styles.count} role="status">
        {said}
      </span>
      <IconButton name="arrow-up" tooltip="Previous" disabled={!count} onClick={() => step(-1)} />
      <IconButton name="arrow-down" tooltip="Next" disabled={!count} onClick={() => step(1)} />
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  bar: css({ display: 'flex', alignItems: 'center', gap: theme.spacing(0.5) }),
  count: css({
    minWidth: theme.spacing(9),
    color: theme.colors.text.secondary,
    fontSize: theme.typography.bodySmall.fontSize,
    fontVariantNumeric: 'tabular-nums',
  }),
});
