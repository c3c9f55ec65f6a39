/** Request or response of a call. */
import { Stack } from '@grafana/ui';
import type { CallDetail } from '../data/contract.ts';
import { BodyView } from '../payload/BodyView.tsx';
import { PartMarks } from './PartMarks.tsx';
import { PartState } from './PartState.tsx';
import { PayloadGate } from './PayloadGate.tsx';

interface PayloadTabProps {
  readonly call: CallDetail;
  readonly direction: 'request' | 'response';
}

export function PayloadTab({ call, direction }: PayloadTabProps) {
  return (
    <PayloadGate call={call}>
      {(payload) => {
        const part = payload[direction];
        if (part.state !== 'opened') return <PartState state={part.state} />;
        return (
          <Stack direction="column" gap={1.5}>
            <PartMarks part={part} />
            <BodyView part={part} fileName={`call-${call.id}-${direction}`} />
          </Stack>
        );
      }}
    </PayloadGate>
  );
}
