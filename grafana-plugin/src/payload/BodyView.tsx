/** An opened body: its MCP content first, the whole message as JSON or events, and what passed byte for byte. */
import { RadioButtonGroup, Stack } from '@grafana/ui';
import { useMemo, useState } from 'react';
import type { PayloadPart } from '../data/contract.ts';
import { ContentView } from './ContentView.tsx';
import { JsonViewer } from './JsonViewer.tsx';
import { contentBlocks } from './mcp-content.ts';
import { messagesOf, payloadBody } from './payload-body.ts';
import { TextViewer } from './TextViewer.tsx';

interface BodyViewProps {
  readonly part: PayloadPart;
  /** without extension */
  readonly fileName: string;
}

export function BodyView({ part, fileName }: BodyViewProps) {
  const body = useMemo(() => payloadBody(part), [part]);
  const blocks = useMemo(() => contentBlocks(messagesOf(body)), [body]);
  const redacted = useMemo(() => new Set(part.redacted?.map(withoutEvent)), [part]);
  const [view, setView] = useState<'content' | 'message'>(blocks.length > 0 ? 'content' : 'message');
  if (body.kind === 'empty') return <p>The body was empty.</p>;
  if (body.kind === 'binary') {
    return <TextViewer text={body.binary} label="Bytes" fileName={`${fileName}.bin`} isBytes />;
  }
  const value = body.kind === 'json' ? body.value : body.kind === 'sse' ? body.events : undefined;
  return (
    <Stack direction="column" gap={1}>
      {blocks.length > 0 && (
        <div>
          <RadioButtonGroup
            size="sm"
            aria-label="What to show"
            options={[
              { label: 'Content', value: 'content' as const },
              { label: body.kind === 'sse' ? 'Events' : 'Whole message', value: 'message' as const },
            ]}
            value={view}
            onChange={setView}
          />
        </div>
      )}
      {view === 'content' ? (
        <ContentView blocks={blocks} fileName={fileName} />
      ) : value === undefined ? (
        <TextViewer text={body.text} label="Body" fileName={`${fileName}.txt`} />
      ) : (
        <JsonViewer value={value} text={body.text} fileName={`${fileName}.json`} redacted={redacted} />
      )}
    </Stack>
  );
}

/** `event[2]:$.result` names a path in the data of an event; the tree has the events in a list. */
function withoutEvent(path: string): string {
  return path.replace(/^event\[(\d+)\]:\$/, '$[$1].data');
}
