/**
 * Calls that carry a marker in every place where an MCP client, server, configuration or stranger can put text. Says of
 * each place where an auditor finds it again: in the opened request, in the opened response, or nowhere at all.
 */
import { connect } from 'node:net';
import { expect } from 'vitest';
import type { GatelensProcess } from './gatelens-process.ts';
import type { Markers } from './marker.ts';
import { bearer, connectClient, rpc, send, toolCall } from './mcp-clients.ts';
import { pause } from './until.ts';

export type Seen = 'request' | 'response' | 'nowhere';

/** Where an auditor finds what was planted at a place. Both directions: what a server repeats in its answer. */
export const PLACES: Readonly<Record<string, readonly Seen[]>> = {
  // through the SDK's client and server
  Argument: ['request', 'response'],
  MetaNote: ['request'],
  Result: ['response'],
  ToolDescription: ['response'],
  ToolErrorText: ['response'],
  ErrorMessage: ['response'],
  ErrorData: ['response'],
  UnlistedTool: ['request', 'response'],
  ResourceUser: ['request', 'response'],
  ResourceQuery: ['request', 'response'],
  ResourceFragment: ['request', 'response'],
  ResourceText: ['response'],
  UnlistedResource: ['request', 'response'],
  PromptArgument: ['request'],
  PromptText: ['response'],
  UnlistedPrompt: ['request', 'response'],
  CompletionArgument: ['request'],
  Completion: ['response'],
  ProgressMessage: ['request', 'response'],
  StepsResult: ['response'],
  // a question of the server; the answer of the tool repeats only how it was answered
  ElicitationMessage: ['request', 'response'],
  ElicitationAnswer: ['response'],
  CancelReason: ['request'],
  SessionId: ['nowhere'],
  // headers
  HeaderCustom: ['request'],
  HeaderUserAgent: ['request'],
  HeaderBaggage: ['request'],
  HeaderTracestate: ['request'],
  HeaderToken: ['nowhere'],
  HeaderCookie: ['nowhere'],
  HeaderProxyAuthorization: ['nowhere'],
  HeaderProtocolVersion: ['request'],
  HeaderLastEventId: ['request'],
  ResponseHeader: ['response'],
  SetCookie: ['nowhere'],
  UrlQuery: ['nowhere'],
  // what no SDK would send
  RpcId: ['request', 'response'],
  UnknownMethod: ['request'],
  SplitChunk: ['response'],
  SseComment: ['response'],
  EventId: ['response'],
  SplitJson: ['response'],
  HugeHead: ['response'],
  HugeTail: ['nowhere'],
  HugeArgumentHead: ['request'],
  HugeArgumentTail: ['nowhere'],
  HttpErrorBody: ['response'],
  NotJson: ['response'],
  ResetBody: ['response'],
  RawResult: ['response'],
  // attempts that reach no server
  TooLargeHead: ['request'],
  TooLargeTail: ['nowhere'],
  Malformed: ['request'],
  ContentType: ['request'],
  UnknownServer: ['nowhere'],
  ForgedHost: ['request'],
  ForgedOrigin: ['request'],
  WrongKey: ['nowhere'],
  BadHttp: ['nowhere'],
  // a stdio server that leaks
  Instructions: ['response'],
  StdioArgument: ['request'],
  StdioResult: ['response'],
  StdioProgress: ['request'],
  StdioErrorMessage: ['response'],
  Stderr: ['nowhere'],
  GarbageLine: ['nowhere'],
  GarbageJson: ['nowhere'],
  LastWords: ['nowhere'],
  // our own configuration
  ConfigArg: ['nowhere'],
  ConfigEnv: ['nowhere'],
  ConfigHeader: ['nowhere'],
  // capture modes that keep less
  RedactedKey: ['nowhere'],
  RedactedRest: ['request'],
  HashedArgument: ['nowhere'],
  OffArgument: ['nowhere'],
};

export async function makeMarkedCalls(
  gatelens: GatelensProcess,
  mark: (place: string) => string,
  key: string,
  clientName: string
): Promise<void> {
  await callBySdk(gatelens, mark, key, clientName);
  await callRaw(gatelens, mark, bearer(key));
  await callStdio(gatelens, mark, key);
  await attempt(gatelens, mark, bearer(key));
}

type Mark = (place: string) => string;

async function callBySdk(gatelens: GatelensProcess, mark: Mark, key: string, name: string): Promise<void> {
  const { client, close } = await connectClient(gatelens.mcp('web'), {
    name,
    elicited: { why: mark('ElicitationAnswer') },
    headers: {
      ...bearer(key),
      'X-Custom': mark('HeaderCustom'),
      'User-Agent': mark('HeaderUserAgent'),
      'X-Auth-Token': mark('HeaderToken'),
      Cookie: `session=${mark('HeaderCookie')}`,
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      tracestate: `vendor=${mark('HeaderTracestate')}`,
      baggage: `user=${mark('HeaderBaggage')}`,
    },
  });
  await client.listTools();
  await client.callTool({
    name: 'echo',
    arguments: { text: mark('Argument') },
    _meta: { 'example.com/note': mark('MetaNote') },
  });
  await client.callTool({ name: 'echo' });
  await client.callTool({ name: 'fail' });
  await expect(client.callTool({ name: 'boom' })).rejects.toThrow(mark('ErrorMessage'));
  await expect(client.callTool({ name: mark('UnlistedTool') })).rejects.toThrow();
  const uri = `note://${mark('ResourceUser')}@a/b?q=${mark('ResourceQuery')}#${mark('ResourceFragment')}`;
  await client.readResource({ uri });
  await expect(client.readResource({ uri: `db://${mark('UnlistedResource')}/x` })).rejects.toThrow();
  await client.getPrompt({ name: 'greet', arguments: { who: mark('PromptArgument') } });
  await expect(client.getPrompt({ name: mark('UnlistedPrompt') })).rejects.toThrow();
  await client.complete({
    ref: { type: 'ref/prompt', name: 'greet' },
    argument: { name: 'who', value: mark('CompletionArgument') },
  });
  await client.callTool({ name: 'steps' }, undefined, { onprogress: () => undefined });
  await client.callTool({ name: 'ask' });
  const leaving = new AbortController();
  const slow = client.callTool({ name: 'slow' }, undefined, { signal: leaving.signal });
  setTimeout(() => leaving.abort(mark('CancelReason')), 50);
  await expect(slow).rejects.toThrow();
  await pause(100);
  await close();
}

async function callRaw(gatelens: GatelensProcess, mark: Mark, auth: Record<string, string>): Promise<void> {
  const raw = gatelens.mcp('raw');
  const call = async (body: string, headers: Record<string, string> = {}): Promise<void> => {
    await send(raw, { headers: { ...auth, ...headers }, body });
  };
  await call(toolCall(`"${mark('RpcId')}"`, 'any'));
  await call(rpc(1, `tools/${mark('UnknownMethod')}`));
  await call(toolCall(2, 'any'), {
    'Mcp-Protocol-Version': mark('HeaderProtocolVersion'),
    'Proxy-Authorization': `Basic ${mark('HeaderProxyAuthorization')}`,
  });
  for (const [index, name] of ['split', 'split-json', 'huge', 'http-500', 'no-json'].entries()) {
    await call(toolCall(10 + index, name));
  }
  await expect(call(toolCall(20, 'reset'))).rejects.toThrow();
  await call(
    toolCall(21, 'any', { text: `${mark('HugeArgumentHead')}${'y'.repeat(400_000)}${mark('HugeArgumentTail')}` })
  );
  await send(raw, { method: 'GET', headers: { ...auth, 'Last-Event-ID': mark('HeaderLastEventId') } });
  await send(new URL(`?token=${mark('UrlQuery')}`, raw), { headers: auth, body: toolCall(22, 'any') });
  const masked = { password: mark('RedactedKey'), rest: mark('RedactedRest') };
  await send(gatelens.mcp('masked'), { headers: auth, body: toolCall(23, 'any', masked) });
  await send(gatelens.mcp('hashed'), { headers: auth, body: toolCall(24, 'any', { text: mark('HashedArgument') }) });
  await send(gatelens.mcp('off'), { headers: auth, body: toolCall(25, 'any', { text: mark('OffArgument') }) });
}

async function callStdio(gatelens: GatelensProcess, mark: Mark, key: string): Promise<void> {
  const { client, close } = await connectClient(gatelens.mcp('leaky'), { headers: bearer(key) });
  await client.listTools();
  const args = { text: mark('StdioArgument') };
  await client.callTool({ name: 'leak', arguments: args }, undefined, { onprogress: () => undefined });
  await expect(client.ping()).rejects.toThrow(mark('StdioErrorMessage'));
  await expect(client.callTool({ name: 'die' })).rejects.toThrow();
  await close().catch(() => undefined);
}

async function attempt(gatelens: GatelensProcess, mark: Mark, auth: Record<string, string>): Promise<void> {
  const url = gatelens.mcp('raw');
  const body = toolCall(1, 'any');
  const statuses: number[] = [];
  const refused = async (to: URL, headers: Record<string, string>, text = body): Promise<void> => {
    statuses.push((await send(to, { headers, body: text })).status);
  };
  const tooLarge = `${mark('TooLargeHead')}${'z'.repeat(1_200_000)}${mark('TooLargeTail')}`;
  // without a length, so that it is read until it is too much
  await refused(url, { ...auth, 'Transfer-Encoding': 'chunked' }, toolCall(2, 'any', { text: tooLarge }));
  await refused(url, auth, `{"jsonrpc":"2.0","id":3,"method":${mark('Malformed')}`);
  await refused(url, { ...auth, 'Content-Type': `text/${mark('ContentType')}` });
  await refused(gatelens.mcp(mark('UnknownServer')), auth);
  await refused(url, { ...auth, Host: `${mark('ForgedHost')}.example.com` });
  await refused(url, { ...auth, Origin: `https://${mark('ForgedOrigin')}.example.com` });
  await refused(url, bearer(mark('WrongKey')));
  expect(statuses).toEqual([413, 400, 415, 404, 403, 403, 401]);
  await sendBytes(url, `BREW /${mark('BadHttp')} HTTP/9.9\r\nX: ${mark('BadHttp')}\r\n\r\n`);
}

/** What is no HTTP. */
function sendBytes(url: URL, bytes: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(Number(url.port), url.hostname, () => socket.write(bytes));
    socket.on('error', () => resolve());
    socket.on('close', () => resolve());
    socket.resume();
  });
}

/** What the test's own servers say goes through the same table. */
export function namedPlaces(markers: Markers): void {
  for (const place of Object.keys(PLACES)) markers.of(place);
}
