import { describe, expect, it } from 'vitest';
import type { ReceivedMessage } from '../message.ts';
import { readLine, relabel } from './stdio-relabel.ts';

function message(json: string): ReceivedMessage {
  const [only] = readLine(Buffer.from(json)).messages;
  if (only === undefined) throw new Error('no message');
  return only;
}

const TRACE = { traceparent: '00-aa-bb-01' };

describe('relabel', () => {
  it('changes the ids and leaves every other byte alone', () => {
    const json = String.raw`{ "params":{"arguments":{"big":12345678901234567890.10,"e":1E400,"id":9,"s":"\u00e9\/é"},"_meta":{"progressToken":"p\u0031"}},"id" : "a\u0031","method":"tools/call","jsonrpc":"2.0","z":1}`;
    const expected = json.replace(String.raw`"a\u0031"`, '7').replace(String.raw`"p\u0031"`, '7');
    expect(relabel(message(json), { id: '7', progressToken: '7' }).toString()).toBe(expected);
  });

  it('gives a response its id back when the id comes last', () => {
    const json = '{"result":{"content":[{"id":3}],"id":3},"jsonrpc":"2.0","id":3}';
    expect(relabel(message(json), { id: '"x"' }).toString()).toBe(json.replace(/3}$/, '"x"}'));
  });

  it('takes only the progress token of _meta for the token of a request', () => {
    const json = '{"jsonrpc":"2.0","id":1,"method":"m","params":{"progressToken":5,"requestId":6}}';
    expect(relabel(message(json), { progressToken: '9' }).toString()).toBe(json);
  });

  it.each([
    ['no params', '{"jsonrpc":"2.0","id":1,"method":"m" }', ',"params":{"_meta":{T}}}'],
    ['empty params', '{"jsonrpc":"2.0","id":1,"method":"m","params":{}}', '"params":{"_meta":{T}}}'],
    ['params', '{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":1}}', '"params":{"_meta":{T},"a":1}}'],
    ['empty _meta', '{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":{}}}', '"_meta":{T}}}'],
    ['_meta', '{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":{"a":1}}}', '"_meta":{T,"a":1}}}'],
    [
      'another traceparent',
      '{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":{"x":1,"traceparent":"old"}}}',
      '"_meta":{"x":1,T}}}',
    ],
  ])('puts the trace context into a message with %s', (_what, json, ending) => {
    const traced = relabel(message(json), { id: '42', trace: TRACE }).toString();
    expect(traced.endsWith(ending.replace('T', '"traceparent":"00-aa-bb-01"'))).toBe(true);
    const parsed = JSON.parse(traced) as { id: number; params: { _meta: Record<string, string> } };
    expect(parsed.id).toBe(42);
    expect(parsed.params._meta).toMatchObject(TRACE);
  });

  it.each([
    ['params is an array', '{"jsonrpc":"2.0","id":1,"method":"m","params":[1]}'],
    ['_meta is null', '{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":null}}'],
  ])('puts no trace context where %s', (_what, json) => {
    expect(relabel(message(json), { trace: TRACE }).toString()).toBe(json);
  });
});

describe('readLine', () => {
  it.each([
    ['', 0, 0],
    ['   \r', 0, 0],
    ['{"jsonrpc":"2.0","method":"n"}\r', 1, 0],
    ['[{"jsonrpc":"2.0","method":"n"},{"jsonrpc":"2.0","id":1,"result":{}},7]', 2, 1],
    ['Listening on port 3000', 0, 1],
    ['{"level":"info","msg":"started"}', 0, 1],
    ['{"jsonrpc":"2.0","id":1,"result":{}', 0, 1],
    ['{"jsonrpc":"2.0","id":1,"id":2,"result":{}}', 0, 1],
    ['{"jsonrpc":"2.0","id":1,"result":{"a":"\u0001"}}', 0, 1],
    ['{"jsonrpc":"1.0","id":1,"result":{}}', 0, 1],
    ['null', 0, 1],
  ])('reads %j as %i messages and %i garbage', (line, messages, garbage) => {
    const read = readLine(Buffer.from(line));
    expect([read.messages.length, read.garbage]).toEqual([messages, garbage]);
  });

  it('takes bytes that are not UTF-8 for garbage', () => {
    const line = Buffer.from('{"jsonrpc":"2.0","id":1,"result":{"a":"é"}}', 'latin1');
    expect(readLine(line)).toEqual({ messages: [], garbage: 1 });
  });

  it('reads messages of a batch that can be relabelled on their own', () => {
    const { messages } = readLine(
      Buffer.from('[ {"jsonrpc":"2.0","id":1,"result":{}}, {"id":22,"jsonrpc":"2.0","result":{}} ]')
    );
    expect(messages.map((one) => relabel(one, { id: '"b"' }).toString())).toEqual([
      '{"jsonrpc":"2.0","id":"b","result":{}}',
      '{"id":"b","jsonrpc":"2.0","result":{}}',
    ]);
  });
});
