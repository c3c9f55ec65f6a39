/**
 * Stands before a payload: opens it for those who may, and says calmly to the others what is there, why it stays closed
 * and who can help. Asks the audit API only when it is shown, since each opening is recorded.
 */
import type { ReactNode } from 'react';
import type { CallDetail, CallPayload } from '../data/contract.ts';
import { useCallPayload } from '../data/useCall.ts';
import { FailureState } from '../states/FailureState.tsx';
import { Skeleton } from '../states/Skeleton.tsx';
import { ClosedPayload } from './ClosedPayload.tsx';

interface PayloadGateProps {
  readonly call: CallDetail;
  readonly children: (payload: CallPayload) => ReactNode;
}

export function PayloadGate({ call, children }: PayloadGateProps) {
  const { visible } = call.payload;
  const payload = useCallPayload(call.id, visible);
  if (!visible) return <ClosedPayload call={call} />;
  if (payload.error !== null) {
    return (
      <FailureState
        title="The payload could not be opened"
        error={payload.error}
        onRetry={() => void payload.refetch()}
      />
    );
  }
  if (payload.data === undefined) return <Skeleton lines={10} label="Opening the payload" />;
  return children(payload.data);
}
