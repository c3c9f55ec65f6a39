/** Search, pills of the filters in force, and a way to add one. `/` goes to the search. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { Button, useStyles2 } from '@grafana/ui';
import type { ReactNode } from 'react';
import { hasFilters, NO_FILTERS, type CallFilters, type FilterField } from '../url/call-filters.ts';
import type { ChangeFilters } from '../url/useCallFilters.ts';
import { AddFilter } from './AddFilter.tsx';
import { FilterPills } from './FilterPills.tsx';
import { SearchBox } from './SearchBox.tsx';
import type { ValueNames } from './value-names.ts';

interface FilterBarProps {
  readonly filters: CallFilters;
  readonly onChange: ChangeFilters;
  readonly names: ValueNames;
  /** values to choose from, most frequent first */
  readonly suggestions: (field: FilterField) => readonly string[];
  /** at the right end */
  readonly children?: ReactNode;
}

export function FilterBar({ filters, onChange, names, suggestions, children }: FilterBarProps) {
  const styles = useStyles2(getStyles);
  return (
    <div className={styles.bar} role="search" aria-label="Filters">
      <SearchBox value={filters.text} onChange={(text) => onChange((now) => ({ ...now, text }))} />
      <AddFilter names={names} suggestions={suggestions} onChange={onChange} />
      <FilterPills filters={filters} names={names} onChange={onChange} />
      {hasFilters(filters) && (
        <Button
          size="sm"
          variant="secondary"
          fill="text"
          onClick={() => onChange((now) => ({ ...NO_FILTERS, demo: now.demo }))}
        >
          Clear filters
        </Button>
      )}
      {children !== undefined && <div className={styles.end}>{children}</div>}
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  bar: css({ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: theme.spacing(1) }),
  end: css({ display: 'flex', gap: theme.spacing(1), marginLeft: 'auto' }),
});
