/** What there is to filter by, with counts. A click filters; the minus excludes. Counts obey the other filters. */
import { css, cx } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { Button, Icon, IconButton, useStyles2 } from '@grafana/ui';
import { useState } from 'react';
import type { Facet, Facets } from '../data/contract.ts';
import { useValueNames } from '../filters/value-names.ts';
import { formatCount, formatShort, plural } from '../format/numbers.ts';
import { OutcomeShape } from '../format/OutcomeMark.tsx';
import { isOutcome } from '../format/outcomes.ts';
import { FIELD_LABEL, hasTerm, withoutTerm, withTerm, type CallFilters, type FilterTerm } from '../url/call-filters.ts';
import { failureText } from '../states/FailureState.tsx';
import { Skeleton } from '../states/Skeleton.tsx';
import type { ChangeFilters } from '../url/useCallFilters.ts';

interface FacetPanelProps {
  readonly facets: Facets;
  readonly filters: CallFilters;
  readonly onFilter: ChangeFilters;
}

const SHOWN_AT_FIRST = 6;

export function FacetPanel({ facets, filters, onFilter }: FacetPanelProps) {
  const styles = useStyles2(getStyles);
  const useful = facets.facets.filter(isOfUse(filters));
  if (useful.length === 0) return null;
  return (
    <aside aria-label="Filter by value" className={styles.panel} tabIndex={0}>
      {useful.map((facet) => (
        <FacetSection key={facet.field} facet={facet} filters={filters} onFilter={onFilter} />
      ))}
    </aside>
  );
}

/** In its place while it loads, so that the list does not move aside later. */
export function FacetPlaceholder() {
  const styles = useStyles2(getStyles);
  return (
    <div className={styles.panel}>
      <Skeleton lines={12} lineHeight={3} label="Loading filters" />
    </div>
  );
}

/** Says that nothing was counted, and why, where a wide alert has no room. */
export function FacetFailure({ error, onRetry }: { readonly error: unknown; readonly onRetry: () => void }) {
  const styles = useStyles2(getStyles);
  return (
    <div className={styles.panel} role="alert">
      <p className={styles.rest}>The filters could not be counted. {failureText(error)}</p>
      <Button size="sm" variant="secondary" fill="text" icon="sync" onClick={onRetry}>
        Try again
      </Button>
    </div>
  );
}

/** One without values has nothing to offer, unless it is filtered by. */
function isOfUse({ terms }: CallFilters): (facet: Facet) => boolean {
  return ({ field, values }) => values.length > 0 || terms.some((term) => term.field === field);
}

interface FacetSectionProps {
  readonly facet: Facet;
  readonly filters: CallFilters;
  readonly onFilter: ChangeFilters;
}

function FacetSection({ facet, filters, onFilter }: FacetSectionProps) {
  const styles = useStyles2(getStyles);
  const [isOpen, setOpen] = useState(true);
  const [showsAll, setShowsAll] = useState(false);
  const { field, distinct, values, otherCalls } = facet;
  const most = values[0]?.calls ?? 1;
  const shown = showsAll ? values : values.slice(0, SHOWN_AT_FIRST);
  return (
    <section className={styles.section}>
      <h2 className={styles.heading}>
        <button type="button" className={styles.toggle} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          <Icon name={isOpen ? 'angle-down' : 'angle-right'} />
          {FIELD_LABEL[field]}
          <span className={styles.count}>{formatCount(distinct)}</span>
        </button>
      </h2>
      {isOpen && (
        <ul className={styles.list}>
          {shown.map(({ value, calls }) => (
            <FacetValue
              key={value}
              term={{ field, value, not: false }}
              calls={calls}
              share={calls / most}
              filters={filters}
              onFilter={onFilter}
            />
          ))}
        </ul>
      )}
      {isOpen && values.length > SHOWN_AT_FIRST && (
        <button type="button" className={styles.more} onClick={() => setShowsAll(!showsAll)}>
          {showsAll ? 'Show fewer' : `Show ${formatCount(values.length - SHOWN_AT_FIRST)} more`}
        </button>
      )}
      {isOpen && showsAll && otherCalls > 0 && (
        <p className={styles.rest}>{plural(otherCalls, 'call')} under other values</p>
      )}
    </section>
  );
}

interface FacetValueProps {
  readonly term: FilterTerm;
  readonly calls: number;
  /** of the most frequent value */
  readonly share: number;
  readonly filters: CallFilters;
  readonly onFilter: ChangeFilters;
}

function FacetValue({ term, calls, share, filters, onFilter }: FacetValueProps) {
  const styles = useStyles2(getStyles);
  const name = useValueNames()(term.field, term.value);
  const isOn = hasTerm(filters, term);
  const excluded = { ...term, not: true };
  const outcome = term.field === 'outcome' && isOutcome(term.value) ? term.value : undefined;
  return (
    <li className={styles.item}>
      <button
        type="button"
        className={cx(styles.value, isOn && styles.on, hasTerm(filters, excluded) && styles.off)}
        aria-pressed={isOn}
        title={`${name}: ${plural(calls, 'call')}`}
        onClick={() => onFilter((now) => (isOn ? withoutTerm(now, term) : withTerm(now, term)))}
      >
        <span className={styles.bar} style={{ width: `${share * 100}%` }} />
        {outcome !== undefined && <OutcomeShape outcome={outcome} />}
        <span className={styles.name}>{name}</span>
        <span className={styles.count}>{calls < 10_000 ? formatCount(calls) : formatShort(calls)}</span>
      </button>
      <IconButton
        name="minus"
        size="sm"
        className={styles.exclude}
        aria-label={`Without ${FIELD_LABEL[term.field].toLowerCase()} ${name}`}
        onClick={() => onFilter((now) => withTerm(now, excluded))}
      />
    </li>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  panel: css({
    width: theme.spacing(25),
    flexShrink: 0,
    [theme.breakpoints.up('xxl')]: { width: theme.spacing(31) },
    overflowY: 'auto',
    padding: theme.spacing(0.5, 0),
    background: theme.colors.background.primary,
    border: `1px solid ${theme.colors.border.weak}`,
    borderRadius: theme.shape.radius.default,
  }),
  section: css({ padding: theme.spacing(0.5, 1) }),
  heading: css({ margin: 0, fontSize: theme.typography.body.fontSize, lineHeight: theme.typography.body.lineHeight }),
  toggle: css({
    display: 'flex',
    alignItems: 'center',
    gap: theme.spacing(0.5),
    width: '100%',
    padding: theme.spacing(0.5, 0),
    background: 'none',
    border: 'none',
    fontWeight: theme.typography.fontWeightMedium,
  }),
  count: css({
    marginLeft: 'auto',
    color: theme.colors.text.secondary,
    fontSize: theme.typography.bodySmall.fontSize,
    fontVariantNumeric: 'tabular-nums',
    fontWeight: theme.typography.fontWeightRegular,
  }),
  list: css({ listStyle: 'none', margin: 0 }),
  item: css({
    display: 'flex',
    alignItems: 'center',
    '& > button:last-child': { opacity: 0 },
    '&:hover > button:last-child, & > button:last-child:focus-visible': { opacity: 1 },
  }),
  value: css({
    position: 'relative',
    display: 'flex',
    flex: 1,
    alignItems: 'center',
    gap: theme.spacing(0.75),
    minWidth: 0,
    height: theme.spacing(3),
    padding: theme.spacing(0, 0.75),
    background: 'none',
    border: '1px solid transparent',
    borderRadius: theme.shape.radius.default,
    fontSize: theme.typography.bodySmall.fontSize,
    textAlign: 'left',
    '&:hover': { background: theme.colors.action.hover },
  }),
  on: css({ borderColor: theme.colors.primary.border, background: theme.colors.action.selected }),
  off: css({ textDecoration: 'line-through', color: theme.colors.text.secondary }),
  bar: css({
    position: 'absolute',
    left: 0,
    bottom: 0,
    height: theme.spacing(0.25),
    background: theme.colors.border.strong,
    borderRadius: theme.shape.radius.pill,
  }),
  name: css({ overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' }),
  exclude: css({ marginLeft: theme.spacing(0.5) }),
  more: css({
    padding: theme.spacing(0.25, 0.75),
    background: 'none',
    border: 'none',
    color: theme.colors.text.link,
    fontSize: theme.typography.bodySmall.fontSize,
  }),
  rest: css({
    margin: theme.spacing(0.25, 0.75),
    color: theme.colors.text.secondary,
    fontSize: theme.typography.bodySmall.fontSize,
  }),
});
