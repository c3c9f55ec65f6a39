/** The filters in force, one pill each. Clicking the words turns a filter into its opposite; the cross removes it. */
import { css, cx } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { IconButton, useStyles2 } from '@grafana/ui';
import { formatDuration } from '../format/numbers.ts';
import {
  canExclude,
  FIELD_LABEL,
  withoutTerm,
  withTerm,
  type CallFilters,
  type FilterTerm,
} from '../url/call-filters.ts';
import type { ChangeFilters } from '../url/useCallFilters.ts';
import type { ValueNames } from './value-names.ts';

interface FilterPillsProps {
  readonly filters: CallFilters;
  readonly names: ValueNames;
  readonly onChange: ChangeFilters;
}

export function FilterPills({ filters, names, onChange }: FilterPillsProps) {
  const { minDurationMs, maxDurationMs } = filters;
  return (
    <>
      {filters.terms.map((term) => (
        <Pill
          key={`${term.field} ${String(term.not)} ${term.value}`}
          text={`${FIELD_LABEL[term.field]}: ${term.not ? 'not ' : ''}${names(term.field, term.value)}`}
          title={term.value}
          not={term.not}
          onInvert={canExclude(term.field) ? () => onChange((now) => inverted(now, term)) : undefined}
          onRemove={() => onChange((now) => withoutTerm(now, term))}
        />
      ))}
      {filters.demo && <Pill text="Demo data, made up" onRemove={() => onChange((now) => ({ ...now, demo: false }))} />}
      {minDurationMs !== undefined && (
        <Pill
          text={`Took at least ${formatDuration(minDurationMs)}`}
          onRemove={() => onChange((now) => ({ ...now, minDurationMs: undefined }))}
        />
      )}
      {maxDurationMs !== undefined && (
        <Pill
          text={`Took at most ${formatDuration(maxDurationMs)}`}
          onRemove={() => onChange((now) => ({ ...now, maxDurationMs: undefined }))}
        />
      )}
    </>
  );
}

function inverted(filters: CallFilters, term: FilterTerm): CallFilters {
  return withTerm(filters, { ...term, not: !term.not });
}

interface PillProps {
  readonly text: string;
  readonly title?: string;
  readonly not?: boolean;
  readonly onInvert?: (() => void) | undefined;
  readonly onRemove: () => void;
}

function Pill({ text, title, not = false, onInvert, onRemove }: PillProps) {
  const styles = useStyles2(getStyles);
  return (
    <span className={cx(styles.pill, not && styles.not)}>
      {onInvert === undefined ? (
        <span className={styles.text}>{text}</span>
      ) : (
        <button
          type="button"
          className={styles.text}
          title={`${title ?? text}. Click to turn it round.`}
          onClick={onInvert}
        >
          {text}
        </button>
      )}
      <IconButton name="times" size="sm" aria-label={`Remove the filter ${text}`} onClick={onRemove} />
    </span>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  pill: css({
    display: 'inline-flex',
    alignItems: 'center',
    height: theme.spacing(theme.components.height.sm),
    padding: theme.spacing(0, 0.5, 0, 1),
    gap: theme.spacing(0.5),
    maxWidth: theme.spacing(48),
    background: theme.colors.background.secondary,
    border: `1px solid ${theme.colors.border.medium}`,
    borderRadius: theme.shape.radius.pill,
    fontSize: theme.typography.bodySmall.fontSize,
  }),
  not: css({ borderColor: theme.colors.error.border, borderStyle: 'dashed' }),
  text: css({
    padding: 0,
    background: 'none',
    border: 'none',
    fontSize: 'inherit',
    overflow: 'hidden',
    textOverflow: 'ellipsis',
    whiteSpace: 'nowrap',
  }),
});
