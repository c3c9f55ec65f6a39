/** Filters of the access log, kept in the address under the names of the audit API. */
import { Combobox, Input, RadioButtonGroup, Stack } from '@grafana/ui';
import type { ApiQuery } from '../data/api.ts';
import { setParam, useSearch } from '../url/useSearch.ts';
import { ACTION_WORDS } from './access-words.ts';

const FIELDS = ['action', 'decision', 'actor', 'server', 'callId'] as const;

export function readAccessFilters(search: URLSearchParams): ApiQuery {
  const given = FIELDS.flatMap((field) => {
    const values = search.getAll(field).filter((value) => value !== '');
    return values.length === 0 ? [] : [[field, values] as const];
  });
  return Object.fromEntries(given);
}

const ACTIONS = Object.entries(ACTION_WORDS).map(([value, label]) => ({ value, label, description: value }));

export function AccessFilters() {
  const [search, change] = useSearch();
  return (
    <Stack direction="row" gap={1} wrap="wrap" alignItems="center">
      <Combobox
        width={40}
        isClearable
        aria-label="What was done"
        placeholder="Everything that was done"
        options={ACTIONS}
        value={search.get('action')}
        onChange={(option) => change(setParam('action', option?.value))}
      />
      <RadioButtonGroup
        aria-label="Decision"
        options={[
          { label: 'All', value: '' },
          { label: 'Allowed', value: 'allowed' },
          { label: 'Refused', value: 'refused' },
        ]}
        value={search.get('decision') ?? ''}
        onChange={(decision) => change(setParam('decision', decision === '' ? undefined : decision))}
      />
      <TextFilter name="actor" label="Who did it" />
      <TextFilter name="server" label="Server" />
    </Stack>
  );
}

/** Takes effect at Enter and when it is left. */
function TextFilter({ name, label }: { readonly name: 'actor' | 'server'; readonly label: string }) {
  const [search, change] = useSearch();
  const value = search.get(name) ?? '';
  const apply = (text: string) => change(setParam(name, text.trim() === '' ? undefined : text.trim()));
  return (
    <Input
      key={value}
      width={24}
      defaultValue={value}
      aria-label={label}
      placeholder={label}
      onBlur={(event) => apply(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === 'Enter') apply(event.currentTarget.value);
      }}
    />
  );
}
