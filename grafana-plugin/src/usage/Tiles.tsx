/** The figures of a period, each against the period before, each a way to its calls. */
import { css } from '@emotion/css';
import type { GrafanaTheme2, IconName } from '@grafana/data';
import { Icon, TextLink, useStyles2 } from '@grafana/ui';
import type { useUsageSummary } from '../data/useUsage.ts';
import { FailureState } from '../states/FailureState.tsx';
import { tilesOf, type Tile } from './tiles.ts';
import type { LinkTo } from './useUsageState.ts';

interface TilesProps {
  readonly summary: ReturnType<typeof useUsageSummary>;
  readonly linkTo: LinkTo;
  readonly isOwn: boolean;
}

export function Tiles({ summary, linkTo, isOwn }: TilesProps) {
  const styles = useStyles2(getStyles);
  if (summary.error !== null) {
    return (
      <FailureState
        title="The figures could not be read"
        error={summary.error}
        onRetry={() => void summary.refetch()}
      />
    );
  }
  const tiles = tilesOf(summary.data, linkTo, isOwn);
  return (
    <ul className={styles.tiles} aria-label="Figures">
      {tiles.map((tile) => (
        <li key={tile.label} className={styles.tile}>
          <TextLink href={tile.href} color="secondary" variant="bodySmall" inline={false}>
            {tile.label}
          </TextLink>
          <div className={styles.figure}>
            <span className={styles.value}>{tile.value}</span>
            {tile.change !== undefined && <Change change={tile.change} />}
          </div>
        </li>
      ))}
    </ul>
  );
}

function Change({ change }: { readonly change: NonNullable<Tile['change']> }) {
  const styles = useStyles2(getStyles);
  const icon: IconName = change.direction === 'up' ? 'arrow-up' : 'arrow-down';
  return (
    <span className={change.isWorse ? styles.worse : styles.change} title={`before: ${change.before}`}>
      {change.direction !== 'same' && <Icon name={icon} size="sm" title={change.direction} />}
      {change.text}
    </span>
  );
}

const getStyles = (theme: GrafanaTheme2) => {
  const change = {
    display: 'inline-flex',
    alignItems: 'center',
    fontSize: theme.typography.bodySmall.fontSize,
    color: theme.colors.text.secondary,
  } as const;
  return {
    tiles: css({
      display: 'grid',
      gridTemplateColumns: `repeat(auto-fit, minmax(${theme.spacing(20)}, 1fr))`,
      gap: theme.spacing(1),
      listStyle: 'none',
      margin: 0,
    }),
    tile: css({
      minHeight: theme.spacing(9.5),
      padding: theme.spacing(1, 1.5),
      background: theme.colors.background.primary,
      border: `1px solid ${theme.colors.border.weak}`,
      borderRadius: theme.shape.radius.default,
    }),
    figure: css({ display: 'flex', alignItems: 'baseline', gap: theme.spacing(1) }),
    value: css({
      fontSize: theme.typography.h2.fontSize,
      lineHeight: theme.typography.h2.lineHeight,
      fontVariantNumeric: 'tabular-nums',
    }),
    change: css(change),
    worse: css({ ...change, color: theme.colors.error.text }),
  };
};
