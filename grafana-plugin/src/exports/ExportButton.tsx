/** The way to an export of what the page shows. For those who may not: there, disabled, and says why. */
import { Button } from '@grafana/ui';
import { useState } from 'react';
import type { Me } from '../data/contract.ts';
import type { ValueNames } from '../filters/value-names.ts';
import type { CallFilters } from '../url/call-filters.ts';
import type { Instants } from '../url/time-range.ts';
import { ExportDrawer } from './ExportDrawer.tsx';
import { whyNoExport } from './export-words.ts';

interface ExportButtonProps {
  /** undefined: not known yet */
  readonly me: Me | undefined;
  readonly instants: Instants;
  readonly filters: CallFilters;
  readonly names: ValueNames;
  readonly timeZone: string;
}

export function ExportButton({ me, ...shown }: ExportButtonProps) {
  const [isOpen, setOpen] = useState(false);
  const whyNot = me === undefined ? undefined : whyNoExport(me);
  return (
    <>
      <Button
        variant="secondary"
        icon="download-alt"
        disabled={me === undefined || whyNot !== undefined}
        tooltip={whyNot ?? 'Export what is shown as a file'}
        onClick={() => setOpen(true)}
      >
        Export
      </Button>
      {isOpen && me !== undefined && <ExportDrawer me={me} {...shown} onClose={() => setOpen(false)} />}
    </>
  );
}
