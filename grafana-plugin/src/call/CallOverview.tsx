/** The facts of a call in groups; each value can be filtered by, excluded and copied. */
import { css, cx } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import type { CallDetail } from '../data/contract.ts';
import { ValueActions } from '../filters/ValueActions.tsx';
import { visibleText } from '../format/visible-text.ts';
import type { ChangeFilters } from '../url/useCallFilters.ts';
import { callFacts, type Fact } from './facts.ts';
import { TimeSplit } from './TimeSplit.tsx';

interface CallOverviewProps {
  readonly call: CallDetail;
  readonly timeZone: string;
  readonly onFilter: ChangeFilters;
}

export function CallOverview({ call, timeZone, onFilter }: CallOverviewProps) {
  const styles = useStyles2(getStyles);
  const attributes = Object.entries(call.attributes);
  return (
    <div className={styles.overview}>
      <TimeSplit call={call} />
      <div className={styles.groups}>
        {callFacts(call, timeZone).map(({ title, facts }) => (
          <FactList key={title} title={title} facts={facts} onFilter={onFilter} />
        ))}
        {attributes.length > 0 && (
          <FactList
            title="Other attributes"
            facts={attributes.map(([label, text]) => ({ label, text, isCode: true }))}
            onFilter={onFilter}
          />
        )}
      </div>
    </div>
  );
}

interface FactListProps {
  readonly title: string;
  readonly facts: readonly Fact[];
  readonly onFilter: ChangeFilters;
}

function FactList({ title, facts, onFilter }: FactListProps) {
  const styles = useStyles2(getStyles);
  return (
    <section className={styles.group}>
      <h3 className={styles.title}>{title}</h3>
      <dl className={styles.list}>
        {facts.map(({ label, text, copy, filter, isCode }) => (
          <div key={label} className={styles.fact}>
            <dt className={styles.label}>{label}</dt>
            <dd className={cx(styles.value, isCode && styles.code)}>
              <span>{visibleText(text)}</span>
              <span className={styles.actions}>
                <ValueActions
                  field={filter?.field}
                  value={filter?.value ?? text}
                  copy={copy ?? text}
                  onChange={onFilter}
                />
              </span>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  overview: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(2) }),
  groups: css({
    display: 'grid',
    gridTemplateColumns: `repeat(auto-fill, minmax(min(100%, ${theme.spacing(50)}), 1fr))`,
    gap: theme.spacing(2, 3),
    alignItems: 'start',
  }),
  group: css({ minWidth: 0 }),
  title: css({
    margin: theme.spacing(0, 0, 0.5),
    fontSize: theme.typography.body.fontSize,
    fontWeight: theme.typography.fontWeightMedium,
  }),
  list: css({ margin: 0 }),
  fact: css({
    display: 'flex',
    gap: theme.spacing(1),
    minHeight: theme.spacing(3.5),
    padding: theme.spacing(0.5, 0),
    borderBottom: `1px solid ${theme.colors.border.weak}`,
    '& dd > span:last-child': { opacity: 0 },
    '&:hover dd > span:last-child, & dd > span:last-child:focus-within': { opacity: 1 },
  }),
  label: css({
    width: theme.spacing(17),
    flexShrink: 0,
    overflowWrap: 'anywhere',
    color: theme.colors.text.secondary,
    fontWeight: theme.typography.fontWeightRegular,
  }),
  value: css({ display: 'flex', flex: 1, gap: theme.spacing(1), minWidth: 0, margin: 0, overflowWrap: 'anywhere' }),
  code: css({ fontFamily: theme.typography.fontFamilyMonospace, fontSize: theme.typography.bodySmall.fontSize }),
  actions: css({ marginLeft: 'auto', flexShrink: 0 }),
});
