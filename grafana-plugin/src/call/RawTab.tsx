/** The record of a call as the audit API gives it: metadata only, for everybody who may see the call. */
import { useMemo } from 'react';
import type { CallDetail } from '../data/contract.ts';
import { JsonViewer } from '../payload/JsonViewer.tsx';

export function RawTab({ call }: { readonly call: CallDetail }) {
  const text = useMemo(() => JSON.stringify(call, null, 2), [call]);
  return <JsonViewer value={call} text={text} fileName={`call-${call.id}.json`} />;
}
