import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonScanner } from './json-scanner.ts';
import type { ScannerOptions, ScanResult } from './json-scanner.ts';
import type { ScannedMessage } from '../message.ts';

function scan(text: string | Buffer, options?: ScannerOptions, cuts: readonly number[] = []): ScanResult {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  const scanner = new JsonScanner(options);
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    const to = Math.min(cut, bytes.length);
    scanner.feed(bytes.subarray(from, to));
    from = to;
  }
  scanner.feed(bytes.subarray(from));
  return scanner.end();
}

function one(text: string | object, options?: ScannerOptions): ScannedMessage {
  const result = scan(typeof text === 'string' ? text : JSON.stringify(text), options);
  if (!result.ok) throw new Error(`not scanned: ${result.reason}`);
  expect(result.body.messages).toHaveLength(1);
  return result.body.messages[0]!;
}

const CALL = {
  jsonrpc: '2.0',
  id: 7,
  method: 'tools/call',
  params: {
    name: 'echo',
    arguments: { name: 'not the tool', method: 'x', deep: [{ id: 1, params: { name: 'no' } }] },
    _meta: {
      progressToken: 'p1',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      tracestate: 'a=b',
    },
  },
};

describe('what it finds in a request', () => {
  it('reads the members that decide policy and not their namesakes inside arguments', () => {
    const message = one(CALL);
    expect(message).toMatchObject({
      kind: 'request',
      id: '7',
      method: 'tools/call',
      name: 'echo',
      progressToken: '"p1"',
      ambiguous: [],
    });
    expect(message.traceparent).toBe(CALL.params._meta.traceparent);
  });

  it('gives byte ranges that a splice can use, with multi-byte text before them', () => {
    const text = JSON.stringify({ ...CALL, id: 'ü€𝄞' });
    const bytes = Buffer.from(text);
    const message = one(text);
    const at = (range: { start: number; end: number } | undefined): string =>
      bytes.toString('utf8', range?.start, range?.end);
    expect(at(message.params)).toBe(JSON.stringify(CALL.params));
    expect(at(message.meta)).toBe(JSON.stringify(CALL.params._meta));
    expect(at(message.traceparentRange)).toBe(JSON.stringify(CALL.params._meta.traceparent));
    expect(at(message.range)).toBe(text);
    expect(message.params?.empty).toBe(false);
    expect(one('{"jsonrpc":"2.0","id":1,"method":"ping","params": { } }').params?.empty).toBe(true);
  });

  it.each([
    [
      'initialize',
      {
        method: 'initialize',
        params: { protocolVersion: '2025-11-25', clientInfo: { name: 'c', version: '1', title: 't' } },
      },
      { protocolVersion: '2025-11-25', client: { name: 'c', version: '1' } },
    ],
    [
      'stateless meta',
      {
        method: 'tools/list',
        params: {
          _meta: {
            'io.modelcontextprotocol/protocolVersion': '2026-07-28',
            'io.modelcontextprotocol/clientInfo': { name: 'c', version: '2' },
          },
        },
      },
      { protocolVersion: '2026-07-28', client: { name: 'c', version: '2' } },
    ],
    ['resource', { method: 'resources/read', params: { uri: 'file:///a?b#c' } }, { uri: 'file:///a?b#c' }],
    [
      'completion',
      { method: 'completion/complete', params: { ref: { type: 'ref/prompt', name: 'p' } } },
      { ref: { type: 'ref/prompt', name: 'p' } },
    ],
    ['cancelled', { method: 'notifications/cancelled', params: { requestId: 'r"1' } }, { requestId: '"r\\"1"' }],
    [
      'progress',
      { method: 'notifications/progress', params: { progressToken: 3, progress: 1 } },
      { progressToken: '3' },
    ],
    [
      'hostile name',
      { method: 'tools/call', params: { name: '\u0000</script>\n' + 'x'.repeat(10_000) } },
      { name: '\u0000</script>\n' + 'x'.repeat(10_000) },
    ],
  ])('reads %s', (_label, message, expected) => {
    expect(one({ jsonrpc: '2.0', id: 1, ...message })).toMatchObject(expected);
  });

  it('decodes escaped keys and values, so that no spelling hides a method', () => {
    const message = one(
      '{"jsonrpc":"2.\\u0030","id":"a\\u0031","meth\\u006fd":"tools\\/call","params":{"n\\u0061me":"\\ud834\\udd1e"}}'
    );
    expect(message).toMatchObject({ kind: 'request', id: '"a\\u0031"', method: 'tools/call', name: '𝄞' });
  });
});

describe('what it finds in an answer', () => {
  it.each([
    [
      { id: 1, result: { content: [{ isError: true }], isError: true } },
      { kind: 'response', hasResult: true, isError: true },
    ],
    [{ id: 1, result: { content: [{ isError: true }] } }, { isError: false }],
    [
      { id: 1, error: { code: -32602, message: 'x', data: { code: 1 } } },
      { kind: 'response', hasError: true, errorCode: -32602 },
    ],
    [
      { id: null, error: { code: -32700, message: '' } },
      { kind: 'response', id: 'null' },
    ],
    [{ error: { code: -32700, message: '' } }, { kind: 'response' }],
    [{ id: 1, result: { resultType: 'input_required' } }, { resultType: 'input_required' }],
    [
      { id: 1, result: { protocolVersion: '2025-06-18', serverInfo: { name: 's', version: '9' } } },
      { resultProtocolVersion: '2025-06-18', serverInfo: { name: 's', version: '9' } },
    ],
    [
      { id: 1, result: { tools: [{ name: 'a', inputSchema: { name: 'no' } }, { name: 'b' }, 'c', ['d']] } },
      { tools: ['a', 'b'] },
    ],
    [{ id: 1, result: { prompts: [{ name: 'a', arguments: [{ name: 'no' }] }] } }, { prompts: ['a'] }],
    [{ id: 1, result: { resources: [{ name: 'no', uri: 'u:1' }] } }, { resources: ['u:1'] }],
    [{ id: 1, result: { resourceTemplates: [{ uriTemplate: 'u:{x}' }] } }, { resourceTemplates: ['u:{x}'] }],
    [
      { id: 1, result: [] },
      { kind: 'response', hasResult: true },
    ],
  ])('reads %j', (message, expected) => {
    expect(one({ jsonrpc: '2.0', ...message }, { strict: false })).toMatchObject(expected);
  });

  it('does not learn a name that is longer than the limit when it comes in pieces', () => {
    const text = JSON.stringify({ jsonrpc: '2.0', id: 'x'.repeat(500), result: { tools: [{ name: 'a' }] } });
    const result = scan(text, { strict: false, maxTokenBytes: 100 }, [200, 400]);
    expect(result.ok && result.body.messages[0]).toMatchObject({ tools: ['a'] });
    expect(result.ok && result.body.messages[0]?.id).toBeUndefined();
  });
});

describe('what is no JSON-RPC message', () => {
  it.each([
    ['42'],
    ['"x"'],
    ['null'],
    ['{}'],
    ['{"jsonrpc":"1.0","id":1,"method":"ping"}'],
    ['{"id":1,"method":"ping"}'],
    ['{"jsonrpc":"2.0","id":1,"method":5}'],
    ['{"jsonrpc":"2.0","id":null,"method":"ping"}'],
    ['{"jsonrpc":"2.0","id":{},"method":"ping"}'],
    ['{"jsonrpc":"2.0","id":true,"method":"ping"}'],
    ['{"jsonrpc":"2.0","id":1}'],
    ['{"jsonrpc":"2.0","id":1,"result":{},"error":{}}'],
    ['{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}'],
    ['{"jsonrpc":"2.0","result":{}}'],
    ['[1]'],
    ['[[]]'],
  ])('says invalid for %s', (text) => {
    expect(one(text).kind).toBe('invalid');
  });

  it('reads every message of a batch, and an empty batch as none', () => {
    const result = scan('[{"jsonrpc":"2.0","id":1,"method":"ping"}, 3, {"jsonrpc":"2.0","method":"notifications/x"}]');
    expect(result.ok && result.body.batch).toBe(true);
    expect(result.ok && result.body.messages.map((message) => message.kind)).toEqual([
      'request',
      'invalid',
      'notification',
    ]);
    expect(scan('[]')).toEqual({ ok: true, body: { batch: true, messages: [] } });
  });
});

describe('parser differentials', () => {
  it.each([
    ['{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call"}', ['method']],
    ['{"jsonrpc":"2.0","id":1,"method":"tools/list","Method":"tools/call"}', ['method']],
    ['{"jsonrpc":"2.0","id":1,"method":"a","METH\\u004fD":"b"}', ['method']],
    ['{"jsonrpc":"2.0","id":1,"id":2,"method":"a"}', ['id']],
    ['{"jsonrpc":"2.0","id":1,"method":"a","params":{},"param\u017f":{}}', ['params']],
    ['{"jsonrpc":"2.0","id":1,"method":"a","params":{"name":"x","name":"y"}}', ['params.name']],
    ['{"jsonrpc":"2.0","id":1,"method":"a","params":{"name":"x","n\\u0061me":"y"}}', ['params.name']],
    ['{"jsonrpc":"2.0","id":1,"method":"a","params":{"Uri":"y"}}', ['params.uri']],
    ['{"jsonrpc":"2.0","id":1,"method":"a","params":{"ref":{"name":"x","name":"y"}}}', ['params.ref.name']],
    ['{"jsonrpc":"2.0","id":1,"method":"a","params":{"arguments":{"name":1,"name":2,"Name":3},"names":1}}', []],
  ])('reports %s', (text, expected) => {
    expect(one(text).ambiguous).toEqual(expected);
  });

  it('starts afresh for each message of a batch', () => {
    const text = '[{"jsonrpc":"2.0","id":1,"method":"a"},{"jsonrpc":"2.0","id":2,"method":"a"}]';
    const result = scan(text);
    expect(result.ok && result.body.messages.flatMap((message) => message.ambiguous)).toEqual([]);
  });
});

describe('malformed JSON', () => {
  const bad = [
    '', ' ', '{', '}', '[', '{"a"}', '{"a":}', '{"a":1,}', '[1,]', '[,1]', '{,}', '{"a":1 "b":2}', '{"a" 1}', '{a:1}', "{'a':1}",
    '"a', '"\\x"', '"\\u12g4"', '"\\u12', '"a\nb"', '"\u0000"', '01', '1.', '.5', '-', '+1', '1e', '1e+', '--1', '1.e2', 'tru', 'nul',
    'True', 'NaN', 'Infinity', '1 2', '{} {}', '[1}', '{"a":1]', '\ufeff{}', '{"a":1}x', '/* */{}', '[1 2]', 'truefalse', '0x10',
  ]; // prettier-ignore
  it.each(bad.map((text) => [text]))('is told from JSON: %j', (text) => {
    expect(() => JSON.parse(text) as unknown).toThrow();
    expect(scan(text).ok).toBe(false);
    for (let cut = 1; cut < Buffer.byteLength(text); cut++) expect(scan(text, {}, [cut]).ok).toBe(false);
  });

  it('is told apart from an empty body, too deep and too many', () => {
    expect(scan(' \r\n\t')).toEqual({ ok: false, reason: 'empty' });
    expect(scan('[1')).toEqual({ ok: false, reason: 'malformed' });
    expect(scan('['.repeat(10_000) + ']'.repeat(10_000))).toEqual({ ok: false, reason: 'too_deep' });
    expect(scan('[' + '{"a":'.repeat(600))).toEqual({ ok: false, reason: 'too_deep' });
    expect(scan(`[${'{},'.repeat(100)}{}]`)).toEqual({ ok: false, reason: 'too_many' });
  });
});

describe('any JSON, cut anywhere', () => {
  const strings = fc.string({ unit: 'grapheme', maxLength: 90 });
  const keys = fc.oneof(
    strings,
    fc.constantFrom(
      'jsonrpc',
      'id',
      'method',
      'params',
      'name',
      'uri',
      'result',
      'error',
      '_meta',
      'ref',
      'tools',
      'traceparent'
    )
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      strings,
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(keys, tie('tree'), { maxKeys: 5 })
    ),
  }));
  const spaced = fc
    .tuple(tree, fc.integer({ min: 0, max: 3 }))
    .map(([value, indent]) => JSON.stringify(value, null, indent));

  it('is accepted like JSON.parse does', () => {
    fc.assert(
      fc.property(spaced, fc.array(fc.nat(400), { maxLength: 8 }), fc.boolean(), (text, cuts, strict) => {
        expect(scan(text, { strict }, cuts).ok).toBe(true);
      })
    );
  });

  it('gives the same messages however it is cut', () => {
    const message = fc.record(
      {
        jsonrpc: fc.constant('2.0'),
        id: fc.oneof(strings, fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })),
        method: strings,
        params: fc.record(
          {
            name: strings,
            uri: strings,
            arguments: tree,
            _meta: fc.record({ traceparent: strings, progressToken: fc.integer() }, { requiredKeys: [] }),
          },
          { requiredKeys: [] }
        ),
        result: tree,
        error: fc.record({ code: fc.integer(), message: strings }),
      },
      { requiredKeys: ['jsonrpc'] }
    );
    fc.assert(
      fc.property(
        fc.oneof(message, fc.array(message, { maxLength: 3 })),
        fc.array(fc.nat(600), { maxLength: 12 }),
        fc.boolean(),
        (value, cuts, strict) => {
          const text = JSON.stringify(value);
          const whole = scan(text, { strict });
          expect(scan(text, { strict }, cuts)).toEqual(whole);
          expect(whole.ok).toBe(true);
          const parsed = (Array.isArray(value) ? value : [value]) as {
            id?: unknown;
            method?: string;
            params?: { name?: string };
          }[];
          const seen = whole.ok ? whole.body.messages : [];
          expect(seen.map((one) => one.method)).toEqual(parsed.map((one) => one.method));
          expect(seen.map((one) => one.name)).toEqual(parsed.map((one) => one.params?.name));
          expect(seen.map((one) => (one.id === undefined ? undefined : JSON.parse(one.id)))).toEqual(
            parsed.map((one) => (one.id === undefined ? undefined : JSON.parse(JSON.stringify(one.id))))
          );
        }
      )
    );
  });

  it('agrees with JSON.parse on damaged text', () => {
    fc.assert(
      fc.property(
        spaced,
        fc.nat(400),
        fc.constantFrom('', '"', '\\', '{', '}', ',', ':', '0', 'e', '-', ' ', '\n', 't'),
        (text, at, insert) => {
          const where = at % (text.length + 1);
          const damaged = text.slice(0, where) + insert + text.slice(insert === '' ? where + 1 : where);
          let parsed = true;
          try {
            JSON.parse(Buffer.from(damaged).toString());
          } catch {
            parsed = false;
          }
          expect(scan(damaged, {}, [where]).ok).toBe(parsed);
        }
      ),
      { numRuns: 500 }
    );
  });
});
