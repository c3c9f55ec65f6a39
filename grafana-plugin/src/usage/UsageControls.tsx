/** Whose calls, which server, which client, compared with what. */
import { css } from '@emotion/css';
import { Badge, Combobox, InlineField, RadioButtonGroup, Stack, useStyles2 } from '@grafana/ui';
import type { Me } from '../data/contract.ts';
import { useFacets } from '../data/useTimeline.ts';
import type { UsageState } from './useUsageState.ts';

interface UsageControlsProps {
  readonly state: UsageState;
  readonly me: Me | undefined;
}

export function UsageControls({ state, me }: UsageControlsProps) {
  const styles = useStyles2(getStyles);
  const { instants } = state.time;
  const facets = useFacets({
    ...instants,
    field: ['server', 'client'],
    ...(state.filters.demo ? { demo: 'true' } : {}),
  });
  const choices = (field: 'server' | 'client') =>
    facets.data?.facets.find((facet) => facet.field === field)?.values.map(({ value }) => ({ value, label: value })) ??
    [];
  const chosen = (field: 'server' | 'client') =>
    state.filters.terms.find((term) => term.field === field && !term.not)?.value ?? null;
  const canSeeAll = me?.visibility.usage === 'all';
  return (
    <Stack direction="row" gap={1} wrap="wrap" alignItems="center">
      {canSeeAll && me.user !== null && (
        <RadioButtonGroup
          aria-label="Whose calls"
          options={[
            { label: 'Everyone', value: false },
            { label: 'Only me', value: true },
          ]}
          value={state.isOnlyMe}
          onChange={state.setOnlyMe}
        />
      )}
      {(['server', 'client'] as const).map((field) => (
        <Combobox
          key={field}
          width={22}
          isClearable
          aria-label={field === 'server' ? 'Server' : 'Client'}
          placeholder={field === 'server' ? 'All servers' : 'All clients'}
          options={choices(field)}
          value={chosen(field)}
          onChange={(option) => state.setFilter(field, option?.value)}
        />
      ))}
      <InlineField label="Compare with" htmlFor="usage-compare" className={styles.field}>
        <Combobox
          id="usage-compare"
          width={18}
          options={[
            { value: 'previous', label: 'previous period' },
            { value: 'none', label: 'nothing' },
          ]}
          value={state.isCompared ? 'previous' : 'none'}
          onChange={({ value }) => state.setCompared(value === 'previous')}
        />
      </InlineField>
      {state.filters.demo && <Badge text="Demo data, made up" color="purple" />}
    </Stack>
  );
}

const getStyles = () => ({
  // its own margin would lift it above its neighbours
  field: css({ margin: 0 }),
});
