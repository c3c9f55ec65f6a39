/** What can be done with a value that is shown: filter by it, exclude it, copy it. */
import { IconButton, Stack } from '@grafana/ui';
import { canExclude, FIELD_LABEL, withTerm, type FilterField } from '../url/call-filters.ts';
import type { ChangeFilters } from '../url/useCallFilters.ts';
import { copyText } from './copy-text.ts';

interface ValueActionsProps {
  readonly field: FilterField | undefined;
  /** as the filter takes it */
  readonly value: string;
  /** what is copied, where it differs */
  readonly copy?: string;
  readonly onChange: ChangeFilters;
}

export function ValueActions({ field, value, copy = value, onChange }: ValueActionsProps) {
  const add = (not: boolean) => {
    if (field !== undefined) onChange((now) => withTerm(now, { field, value, not }));
  };
  const label = field === undefined ? '' : FIELD_LABEL[field].toLowerCase();
  return (
    <Stack direction="row" gap={0.5} alignItems="center">
      {field !== undefined && (
        <IconButton name="search-plus" size="sm" tooltip={`Only this ${label}`} onClick={() => add(false)} />
      )}
      {field !== undefined && canExclude(field) && (
        <IconButton name="search-minus" size="sm" tooltip={`Without this ${label}`} onClick={() => add(true)} />
      )}
      <IconButton name="copy" size="sm" tooltip="Copy" onClick={() => void copyText(copy)} />
    </Stack>
  );
}
