/** What the colours mean, with a figure each; clicking one filters. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';

interface LegendItem {
  readonly key: string;
  readonly label: string;
  readonly color: string;
  readonly figure?: string;
  readonly dashed?: boolean;
  readonly onClick?: () => void;
  /** what clicking does */
  readonly title?: string;
}

export function Legend({ items, label }: { readonly items: readonly LegendItem[]; readonly label: string }) {
  const styles = useStyles2(getStyles);
  return (
    <ul className={styles.legend} aria-label={label}>
      {items.map((item) => (
        <li key={item.key}>
          <LegendEntry item={item} />
        </li>
      ))}
    </ul>
  );
}

function LegendEntry({ item }: { readonly item: LegendItem }) {
  const styles = useStyles2(getStyles);
  const content = (
    <>
      <span
        className={item.dashed === true ? styles.dash : styles.swatch}
        style={item.dashed === true ? { borderColor: item.color } : { background: item.color }}
      />
      {item.label}
      {item.figure !== undefined && <span className={styles.figure}>{item.figure}</span>}
    </>
  );
  if (item.onClick === undefined) return <span className={styles.entry}>{content}</span>;
  return (
    <button type="button" className={styles.button} title={item.title} onClick={item.onClick}>
      {content}
    </button>
  );
}

const getStyles = (theme: GrafanaTheme2) => {
  const entry = {
    display: 'inline-flex',
    alignItems: 'center',
    gap: theme.spacing(0.75),
    padding: theme.spacing(0.25, 0.5),
    fontSize: theme.typography.bodySmall.fontSize,
    color: theme.colors.text.primary,
  } as const;
  return {
    legend: css({ display: 'flex', flexWrap: 'wrap', gap: theme.spacing(0, 1), listStyle: 'none', margin: 0 }),
    entry: css(entry),
    button: css({
      ...entry,
      background: 'none',
      border: 'none',
      borderRadius: theme.shape.radius.default,
      '&:hover': { background: theme.colors.action.hover },
    }),
    swatch: css({
      width: theme.spacing(1.75),
      height: theme.spacing(0.5),
      borderRadius: theme.shape.radius.pill,
    }),
    dash: css({ width: theme.spacing(1.75), borderTop: '2px dashed' }),
    figure: css({ color: theme.colors.text.secondary, fontVariantNumeric: 'tabular-nums' }),
  };
};
