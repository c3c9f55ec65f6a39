/** First step of a schedule: its name, which calls, in which form, and how much that was lately. */
import { Field, Input, Stack } from '@grafana/ui';
import { useMemo } from 'react';
import type { Me } from '../data/contract.ts';
import { useExportEstimate, type ExportRequest } from '../data/useExports.ts';
import { useFacets } from '../data/useTimeline.ts';
import { AddFilter } from '../filters/AddFilter.tsx';
import { FilterPills } from '../filters/FilterPills.tsx';
import { suggestionsFrom } from '../filters/suggestions.ts';
import { valueNames } from '../filters/value-names.ts';
import { FailureState } from '../states/FailureState.tsx';
import { filterQuery } from '../url/call-filters.ts';
import { estimateText, fittingShape } from './export-words.ts';
import { ExportShape } from './ExportShape.tsx';
import type { ScheduleDraft } from './schedule-draft.ts';

interface WhatStepProps {
  readonly me: Me;
  readonly draft: ScheduleDraft;
  readonly onChange: (part: Partial<ScheduleDraft>) => void;
}

const LATELY = { from: 'now-7d', to: 'now' };

export function WhatStep({ me, draft, onChange }: WhatStepProps) {
  const { name, filters, shape } = draft;
  const facets = useFacets(LATELY);
  const names = useMemo(() => valueNames(facets.data), [facets.data]);
  const suggestions = useMemo(() => suggestionsFrom(facets.data), [facets.data]);
  const request = useMemo<ExportRequest>(() => {
    const { columns, ...rest } = shape;
    const from = { from: 'now-24h', to: 'now' };
    return { ...from, filters: filterQuery(filters), ...rest, ...(columns === undefined ? {} : { columns }) };
  }, [filters, shape]);
  const estimate = useExportEstimate(request);
  return (
    <>
      <Field label="Name" noMargin>
        <Input
          id="schedule-name"
          value={name}
          maxLength={100}
          autoComplete="off"
          onChange={(event) => onChange({ name: event.currentTarget.value })}
        />
      </Field>
      <div>
        <p>Which calls: {filters.terms.length === 0 ? 'all, unless filtered' : 'those that fit every filter'}</p>
        <Stack direction="row" gap={1} wrap="wrap" alignItems="center">
          <FilterPills filters={filters} names={names} onChange={(apply) => onChange({ filters: apply(filters) })} />
          <AddFilter
            names={names}
            suggestions={suggestions}
            onChange={(apply) => onChange({ filters: apply(filters) })}
          />
        </Stack>
      </div>
      <Field label="Words in the metadata" description="All of them must be found. Payloads are not searched." noMargin>
        <Input
          id="schedule-words"
          value={filters.text}
          maxLength={200}
          autoComplete="off"
          onChange={(event) => onChange({ filters: { ...filters, text: event.currentTarget.value } })}
        />
      </Field>
      <ExportShape
        me={me}
        shape={shape}
        disabled={false}
        onChange={(next) => onChange({ shape: fittingShape(next) })}
      />
      {estimate.error !== null ? (
        <FailureState title="It could not be estimated" error={estimate.error} />
      ) : (
        <div role="status" data-testid="schedule-estimate">
          The last 24 hours:{' '}
          {estimate.data === undefined || estimate.isPlaceholderData ? '…' : estimateText(estimate.data)}
        </div>
      )}
    </>
  );
}
