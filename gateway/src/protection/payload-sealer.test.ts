import { generateKeyPairSync, hash, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { zstdDecompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { isGatelensError } from '../errors.ts';
import type { Direction, Envelope } from '../record/payload-events.ts';
import { publicKeyOf } from './data-key-wrapping.ts';
import { createDataKeys } from './data-keys.ts';
import type { DataKeys, DataKeysOptions } from './data-keys.ts';
import { KeyUnknownError, createPayloadOpener } from './payload-opener.ts';
import type { DataKeyRow, PayloadOpener } from './payload-opener.ts';
import { createPayloadSealer } from './payload-sealer.ts';
import type { PayloadSealerOptions } from './payload-sealer.ts';
import { createPseudonyms } from './pseudonyms.ts';
import { createRedaction } from './redaction.ts';
import type { PayloadInput, PayloadSealer, SealedPayload, WrappedDataKey } from './seams.ts';
import { createShapingThread } from './shaping-thread.ts';

const CALL = '01939c00-0000-7000-8000-000000000001';
const MARK = 'MARKER-q7Zt3mNx';
const PRIVATE_KEY = Buffer.from(
  generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' }).d ?? '',
  'base64url'
);
const pseudonyms = createPseudonyms(new Uint8Array(32).fill(1));

interface World {
  readonly sealer: PayloadSealer;
  readonly dataKeys: DataKeys;
  readonly opener: PayloadOpener;
}

function world(keys: Partial<DataKeysOptions> = {}, sealing: Partial<PayloadSealerOptions> = {}): World {
  const publicKey = publicKeyOf(PRIVATE_KEY);
  const dataKeys = createDataKeys({ gateway: 'chain-1', kekId: 'kek-1', publicKey, ...keys });
  const sealer = createPayloadSealer({ dataKeys, pseudonyms, redaction: createRedaction(), ...sealing });
  const opener = createPayloadOpener({ privateKey: (id) => (id === 'kek-1' ? PRIVATE_KEY : undefined) });
  return { sealer, dataKeys, opener };
}

function payload(body: string | Uint8Array, more: Partial<PayloadInput> = {}): PayloadInput {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  return {
    callId: CALL,
    direction: 'request',
    subject: 'user-1',
    mode: 'full',
    format: 'json',
    headers: [
      ['Content-Type', 'application/json'],
      ['Authorization', `Bearer ${MARK}`],
    ],
    chunks: [bytes],
    bytes: bytes.length,
    ...more,
  };
}

async function sealedFirst(
  { sealer }: World,
  input: PayloadInput
): Promise<SealedPayload & { newKey: WrappedDataKey }> {
  const sealed = await sealer.seal(input);
  if (sealed.newKey === undefined) throw new Error('the first payload must bring its key');
  return { ...sealed, newKey: sealed.newKey };
}

async function opened(by: PayloadOpener, sealed: SealedPayload, key: DataKeyRow, direction: Direction = 'request') {
  return by.open(sealed.envelope, { callId: CALL, direction }, await by.unwrap(key));
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Valid JSON of about that size with the marker in each row. */
function jsonOf(bytes: number): string {
  const rows = Array.from({ length: Math.ceil(bytes / 32) }, (_, at) => `row ${at} ${MARK} grüße`);
  return JSON.stringify({ jsonrpc: '2.0', id: 1, result: { rows } });
}

describe('sealing and opening', () => {
  it.each([
    ['nothing', Buffer.alloc(0), 'none'],
    ['64 bytes', Buffer.from(jsonOf(64)), 'none'],
    ['2 KB', Buffer.from(jsonOf(2048)), 'none'],
    ['20 KB', Buffer.from(jsonOf(20_000)), 'zstd'],
    ['300 KB', Buffer.from(jsonOf(300_000)), 'zstd'],
    ['20 KB of noise', randomBytes(20_000), 'none'],
    ['300 KB of noise', randomBytes(300_000), 'none'],
    ['no UTF-8', Buffer.from([0xff, 0x00, 0x0a, 0x0a, 0xfe]), 'none'],
  ] as const)('gives back each byte of %s', async (_, body, comp) => {
    const there = world();
    for (const format of ['json', 'sse', 'text'] as const) {
      const input = payload(body, { format, chunks: [body.subarray(0, 7), body.subarray(7)] });
      const first = await sealedFirst(world(), input);
      expect(first.envelope.comp).toBe(comp);
      const { head, body: out } = await opened(there.opener, first, first.newKey);
      expect(Buffer.from(out).equals(body)).toBe(true);
      expect(head).toEqual({
        format,
        headers: [
          ['Content-Type', 'application/json'],
          ['Authorization', 'Bearer [redacted:1-16]'],
        ],
        bytes: body.length,
        truncated: false,
        redacted: ['header:authorization'],
        mode: 'full',
      });
    }
  });

  it('redacts the body in mode redacted only, and keeps the report inside', async () => {
    const there = world();
    const body = JSON.stringify({ params: { arguments: { password: MARK, q: 1 } } });
    const first = await sealedFirst(there, payload(body, { mode: 'redacted' }));
    const redacted = await opened(there.opener, first, first.newKey);
    expect(Buffer.from(redacted.body).toString()).toBe('{"params":{"arguments":{"password":"[redacted]","q":1}}}');
    expect(redacted.head).toMatchObject({
      mode: 'redacted',
      bytes: body.length,
      redacted: ['header:authorization', '$.params.arguments.password'],
    });
    const full = await there.sealer.seal(payload(body));
    expect(Buffer.from((await opened(there.opener, full, first.newKey)).body).toString()).toBe(body);
  });

  it.each(['full', 'redacted'] as const)('marks a cut body and keeps a valid preview (%s)', async (mode) => {
    const there = world();
    const whole = Buffer.from(jsonOf(10_000));
    const input = payload(whole.subarray(0, 5000), { mode, bytes: whole.length });
    const first = await sealedFirst(there, input);
    const { head, body } = await opened(there.opener, first, first.newKey);
    expect(first.truncated).toBe(true);
    expect(head).toMatchObject({ truncated: true, bytes: whole.length, format: 'json' });
    expect(JSON.parse(Buffer.from(body).toString()).result.rows[0]).toBe(`row 0 ${MARK} grüße`);
  });

  it('cuts by itself what is longer than its own cap', async () => {
    const there = world({}, { maxBodyBytes: 100 });
    const first = await sealedFirst(there, payload(jsonOf(1000)));
    const { head, body } = await opened(there.opener, first, first.newKey);
    expect(head.truncated).toBe(true);
    expect(body.length).toBeLessThan(120);
    expect(JSON.parse(Buffer.from(body).toString())).toMatchObject({ jsonrpc: '2.0' });
  });

  it('sends large bodies that are cut or redacted to another thread, and only those', async () => {
    const aside: string[] = [];
    const thread = createShapingThread({});
    const there = world(
      {},
      {
        shapeAside: (body) => {
          aside.push(`${body.mode} ${body.truncated ? 'cut' : 'whole'}`);
          return thread(body);
        },
      }
    );
    const large = Buffer.from(jsonOf(100_000));
    const first = await sealedFirst(there, payload(jsonOf(1000), { mode: 'redacted' }));
    await there.sealer.seal(payload(large));
    const redacted = await there.sealer.seal(payload(large, { mode: 'redacted' }));
    const cut = await there.sealer.seal(payload(large, { bytes: 200_000 }));
    expect(aside).toEqual(['redacted whole', 'full cut']);
    for (const sealed of [redacted, cut]) {
      const { body } = await opened(there.opener, sealed, first.newKey);
      expect(JSON.parse(Buffer.from(body).toString()).result.rows[0]).toBe(`row 0 ${MARK} grüße`);
    }
  });

  it('is synchronous for small bodies once the key is there, and leaves large ones to another thread', async () => {
    const { sealer } = world();
    expect(sealer.seal(payload(jsonOf(100)))).toBeInstanceOf(Promise);
    await sealer.seal(payload(jsonOf(100)));
    expect(sealer.seal(payload(jsonOf(100)))).not.toBeInstanceOf(Promise);
    expect(sealer.seal(payload(jsonOf(20_000)))).not.toBeInstanceOf(Promise);
    expect(sealer.seal(payload(jsonOf(200_000)))).toBeInstanceOf(Promise);
  });

  it('never uses a nonce twice and never gives the same ciphertext', async () => {
    const { sealer } = world();
    await sealer.seal(payload('{}'));
    const nonces = new Set<string>();
    for (let at = 0; at < 1000; at++) {
      const sealed = await sealer.seal(payload('{}'));
      expect(sealed.envelope.nonce).toHaveLength(12);
      nonces.add(Buffer.from(sealed.envelope.nonce).toString('hex'));
    }
    expect(nonces.size).toBe(1000);
  });

  it('says what the chain vouches for: the SHA-256 of the ciphertext and a keyed digest of what was captured', async () => {
    const there = world();
    const body = JSON.stringify({ password: MARK });
    const plain = await there.sealer.seal(payload(body));
    const redacted = await there.sealer.seal(payload(body, { mode: 'redacted' }));
    expect(plain.sha256).toBe(hash('sha256', plain.envelope.ct, 'hex'));
    expect(plain.digest).toBe(pseudonyms.hash('plaintext', body));
    expect(redacted.digest).toBe(plain.digest);
    expect(plain.digest).not.toBe(hash('sha256', body, 'hex').slice(0, 32));
  });
});

describe('a sealed payload does not open', () => {
  const flip = (bytes: Uint8Array, at: number): Uint8Array => {
    const changed = Uint8Array.from(bytes);
    const index = at < 0 ? changed.length + at : at;
    changed[index] = (changed[index] ?? 0) ^ 1;
    return changed;
  };
  const ENVELOPES: [string, (one: Envelope) => Envelope][] = [
    ['first bit of the ciphertext', (one) => ({ ...one, ct: flip(one.ct, 0) })],
    ['a bit in the middle', (one) => ({ ...one, ct: flip(one.ct, one.ct.length >> 1) })],
    ['a bit of the tag', (one) => ({ ...one, ct: flip(one.ct, -1) })],
    ['a cut ciphertext', (one) => ({ ...one, ct: one.ct.subarray(0, -1) })],
    ['no ciphertext', (one) => ({ ...one, ct: new Uint8Array(0) })],
    ['a longer ciphertext', (one) => ({ ...one, ct: Buffer.concat([one.ct, Buffer.alloc(1)]) })],
    ['a bit of the nonce', (one) => ({ ...one, nonce: flip(one.nonce, 0) })],
    ['a short nonce', (one) => ({ ...one, nonce: one.nonce.subarray(0, 8) })],
    ['another compression', (one) => ({ ...one, comp: one.comp === 'zstd' ? 'none' : 'zstd' })],
    ['an unknown compression', (one) => ({ ...one, comp: 'gzip' }) as unknown as Envelope],
    ['another version', (one) => ({ ...one, v: 2 }) as unknown as Envelope],
    ['another algorithm', (one) => ({ ...one, alg: 'none' }) as unknown as Envelope],
  ];
  it.each(ENVELOPES)('with %s changed', async (_, change) => {
    for (const size of [100, 20_000]) {
      const there = world();
      const first = await sealedFirst(there, payload(jsonOf(size)));
      const dataKey = await there.opener.unwrap(first.newKey);
      const position = { callId: CALL, direction: 'request' } as const;
      expect(there.opener.open(first.envelope, position, dataKey).body.length).toBeGreaterThan(50);
      const error = caught(() => there.opener.open(change(first.envelope), position, dataKey));
      expect(isGatelensError(error, 'seal_failed'), String(error)).toBe(true);
      expect(inspect(error, { depth: 9 })).not.toContain(MARK);
    }
  });

  it('as another call, as the other direction, or under another key', async () => {
    const there = world();
    const first = await sealedFirst(there, payload(jsonOf(100)));
    const other = await sealedFirst(there, payload(jsonOf(100), { subject: 'user-2' }));
    const dataKey = await there.opener.unwrap(first.newKey);
    const positions = [
      [{ callId: CALL.replace(/1$/, '2'), direction: 'request' }, dataKey],
      [{ callId: CALL, direction: 'response' }, dataKey],
      [{ callId: `${CALL}|request`, direction: 'request' }, dataKey],
      [{ callId: CALL, direction: 'request' }, await there.opener.unwrap(other.newKey)],
      [
        { callId: CALL, direction: 'request' },
        { ...dataKey, keyId: other.newKey.keyId },
      ],
    ] as const;
    for (const [position, key] of positions) {
      const error = caught(() => there.opener.open(first.envelope, position, key));
      expect(isGatelensError(error, 'seal_failed'), JSON.stringify(position)).toBe(true);
    }
  });

  const ROWS: [string, (row: WrappedDataKey) => DataKeyRow][] = [
    ['key id', (row) => ({ ...row, keyId: `${row.keyId}x` })],
    ['subject', (row) => ({ ...row, subject: 'user-2' })],
    ['gateway', (row) => ({ ...row, gateway: 'chain-2' })],
    ['month', (row) => ({ ...row, epoch: '2020-01' })],
    ['subject and gateway, shifted', (row) => ({ ...row, subject: 'user-', gateway: '1chain-1' })],
    ['encapsulated secret', (row) => ({ ...row, wrapped: flip(row.wrapped, 0) })],
    ['wrapped key', (row) => ({ ...row, wrapped: flip(row.wrapped, 40) })],
    ['tag of the wrapped key', (row) => ({ ...row, wrapped: flip(row.wrapped, -1) })],
    ['length of the wrapped key', (row) => ({ ...row, wrapped: row.wrapped.subarray(0, 20) })],
  ];
  it.each(ROWS)('when the %s in the row of its data key was changed', async (_, change) => {
    const there = world();
    const first = await sealedFirst(there, payload('{}'));
    await there.opener.unwrap(first.newKey);
    await expect(there.opener.unwrap(change(first.newKey))).rejects.toMatchObject({ code: 'seal_failed' });
  });

  it('once the data key was destroyed, and says so, even if it was open before', async () => {
    const there = world();
    const first = await sealedFirst(there, payload('{}'));
    await there.opener.unwrap(first.newKey);
    for (const row of [
      undefined,
      { ...first.newKey, destroyed: true },
      { ...first.newKey, wrapped: new Uint8Array() },
    ]) {
      const error: unknown = await there.opener.unwrap(row).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(KeyUnknownError);
      expect(error).toMatchObject({ code: 'key_unknown', reason: 'key_destroyed' });
    }
  });

  it('without the private key, and says which one is missing', async () => {
    const first = await sealedFirst(world({ kekId: 'kek-9' }), payload('{}'));
    const error: unknown = await world()
      .opener.unwrap(first.newKey)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'key_unknown', reason: 'key_unavailable' });
    expect(String(error)).toContain('"kek-9"');
  });

  it('with another private key of the same name', async () => {
    const first = await sealedFirst(world(), payload('{}'));
    const opener = createPayloadOpener({ privateKey: () => randomBytes(32) });
    await expect(opener.unwrap(first.newKey)).rejects.toMatchObject({ code: 'seal_failed' });
  });

  it('finds a private key that was added after the first failure', async () => {
    const first = await sealedFirst(world(), payload('{}'));
    const held = new Map<string, Uint8Array>();
    const opener = createPayloadOpener({ privateKey: (id) => held.get(id) });
    await expect(opener.unwrap(first.newKey)).rejects.toMatchObject({ reason: 'key_unavailable' });
    held.set('kek-1', PRIVATE_KEY);
    await expect(opener.unwrap(first.newKey)).resolves.toMatchObject({ keyId: first.newKey.keyId });
  });
});

describe('nothing of a payload comes out', () => {
  const forms = (mark: string): Buffer[] => [
    Buffer.from(mark),
    Buffer.from(mark, 'utf16le'),
    Buffer.from(Buffer.from(mark).toString('base64').slice(0, -4)),
    Buffer.from(JSON.stringify(mark)),
    Buffer.from(Buffer.from(mark).toString('hex')),
  ];

  it.each([100, 3000, 20_000, 200_000])('sealed bytes of %d never hold it in any spelling', async (size) => {
    const there = world();
    const first = await sealedFirst(there, payload(jsonOf(size)));
    const bytes = Buffer.concat([first.envelope.ct, first.envelope.nonce, first.newKey.wrapped]);
    const all = [bytes, Buffer.from(inspect(first, { depth: 9, maxArrayLength: 9 }))];
    for (const form of forms(MARK)) for (const one of all) expect(one.includes(form)).toBe(false);
    expect(() => zstdDecompressSync(first.envelope.ct)).toThrow();
  });

  it('the data key is nowhere in what ships', async () => {
    const there = world();
    const first = await sealedFirst(there, payload('{}'));
    const { key } = await there.opener.unwrap(first.newKey);
    expect(Buffer.from(first.newKey.wrapped).includes(key.export())).toBe(false);
    expect(first.newKey.wrapped).toHaveLength(32 + 32 + 16);
  });

  const broken = (): never => {
    throw new Error(`cannot handle ${MARK}`, { cause: MARK });
  };
  const STAGES: [string, () => PayloadSealer, Partial<PayloadInput>][] = [
    ['redaction', () => world({}, { redaction: { headers: broken, body: broken } }).sealer, {}],
    ['digest', () => world({}, { pseudonyms: { hash: broken } }).sealer, {}],
    [
      'shaping on another thread',
      () => world({}, { shapeAside: async () => broken(), asyncFromBytes: 1 }).sealer,
      { mode: 'redacted' },
    ],
    [
      'the key while another thread shapes',
      () => world({ wrap: broken }, { shapeAside: async () => broken(), asyncFromBytes: 1 }).sealer,
      { mode: 'redacted' },
    ],
    ['making the key', () => world({ wrap: broken }).sealer, {}],
    ['making the key, later', () => world({ wrap: async () => broken() }).sealer, {}],
    ['a bad public key', () => world({ publicKey: new Uint8Array(3) }).sealer, {}],
    ['getting the key', () => world({}, { dataKeys: { current: broken, isFirstUse: broken } }).sealer, {}],
    ['a mode that keeps nothing', () => world().sealer, { mode: 'hash' as 'full' }],
    ['chunks that are none', () => world().sealer, { chunks: [MARK as unknown as Uint8Array] }],
  ];
  it.each(STAGES)('a failure in %s tells nothing', async (_, sealer, more) => {
    const error: unknown = await (async () => sealer().seal(payload(jsonOf(100), more)))().catch(
      (thrown: unknown) => thrown
    );
    expect(isGatelensError(error, 'seal_failed'), inspect(error)).toBe(true);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(MARK);
  });

  it.each([
    ['here', 20_000, { here: broken }],
    ['on another thread', 200_000, { aside: broken }],
    ['on another thread, later', 200_000, { aside: async () => broken() }],
  ])('a failure of compression %s tells nothing', async (_, size, failing) => {
    const compression = { here: broken, aside: broken, ...failing };
    const { sealer } = world({}, { compression });
    await sealer.seal(payload('{}'));
    const error: unknown = await (async () => sealer.seal(payload(jsonOf(size))))().catch((thrown: unknown) => thrown);
    expect(isGatelensError(error, 'seal_failed'), inspect(error)).toBe(true);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(MARK);
  });
});

describe('data keys', () => {
  it('brings a key with its first payload and not with later ones', async () => {
    const { sealer } = world();
    const first = await sealer.seal(payload('{}'));
    await nextTurn();
    const second = await sealer.seal(payload('{}'));
    expect(first.newKey?.keyId).toBe(first.envelope.keyId);
    expect(second.envelope.keyId).toBe(first.envelope.keyId);
    expect(second.newKey).toBeUndefined();
  });

  it('makes one key when many payloads come at once, and whichever is sealed first brings it', async () => {
    const { sealer } = world();
    const large = sealer.seal(payload(jsonOf(300_000)));
    const small = sealer.seal(payload('{}'));
    const order: string[] = [];
    const [one, two] = await Promise.all([
      Promise.resolve(large).then((sealed) => (order.push('large'), sealed)),
      Promise.resolve(small).then((sealed) => (order.push('small'), sealed)),
    ]);
    expect(order).toEqual(['small', 'large']);
    expect(one.envelope.keyId).toBe(two.envelope.keyId);
    expect(two.newKey?.keyId).toBe(two.envelope.keyId);
  });

  it('gives each subject its own key, unknown callers one together', async () => {
    const { sealer } = world();
    const ids = new Set<string>();
    for (const subject of ['a', 'b', '', 'a', ''])
      ids.add((await sealer.seal(payload('{}', { subject }))).envelope.keyId);
    expect(ids.size).toBe(3);
  });

  it('makes a new key in a new month, in UTC, also when the clock goes back', async () => {
    let now = Date.UTC(2026, 10, 30, 23, 59, 59, 999);
    const { sealer } = world({ now: () => now });
    const november = await sealer.seal(payload('{}'));
    now += 1;
    const december = await sealer.seal(payload('{}'));
    now -= 1;
    const again = await sealer.seal(payload('{}'));
    expect([november, december, again].map((one) => one.newKey?.epoch)).toEqual(['2026-11', '2026-12', '2026-11']);
    expect(new Set([november, december, again].map((one) => one.envelope.keyId)).size).toBe(3);
  });

  it('makes a new key after an hour, so that one which was destroyed meanwhile does not close what comes', async () => {
    let now = Date.UTC(2026, 10, 24, 10);
    const { sealer } = world({ now: () => now });
    const idAfter = async (ms: number): Promise<string> => {
      now += ms;
      return (await sealer.seal(payload('{}'))).envelope.keyId;
    };
    const first = await idAfter(0);
    expect(await idAfter(3_599_999)).toBe(first);
    const second = await idAfter(1);
    expect(second).not.toBe(first);
    expect(await idAfter(3_599_999)).toBe(second);
  });

  it('makes a new key long before one was used too often', async () => {
    const { sealer, opener } = world({ usesPerKey: 3 });
    const sealed: SealedPayload[] = [];
    for (let at = 0; at < 7; at++) {
      sealed.push(await sealer.seal(payload(`{"at":${at}}`)));
      await nextTurn();
    }
    const keys = sealed.flatMap((one) => one.newKey ?? []);
    expect(keys).toHaveLength(3);
    for (const [at, one] of sealed.entries()) {
      const key = keys.find((row) => row.keyId === one.envelope.keyId);
      if (key === undefined) throw new Error('a payload without its key');
      expect(Buffer.from((await opened(opener, one, key)).body).toString()).toBe(`{"at":${at}}`);
    }
  });

  it('forgets the key that was unused longest, and makes another when it is needed again', async () => {
    const { sealer } = world({ capacity: 2 });
    const keyOf = async (subject: string): Promise<string> =>
      (await sealer.seal(payload('{}', { subject }))).envelope.keyId;
    const first = await keyOf('a');
    await keyOf('b');
    expect(await keyOf('a')).toBe(first);
    await keyOf('c');
    expect(await keyOf('a')).toBe(first);
    const b = await keyOf('b');
    expect(await keyOf('b')).toBe(b);
  });

  it('tries again after a key could not be made', async () => {
    let fail = true;
    const { sealer } = world({
      wrap: async () => {
        if (fail) throw new Error('no entropy');
        return new Uint8Array(80);
      },
    });
    await expect(Promise.resolve(sealer.seal(payload('{}')))).rejects.toMatchObject({ code: 'seal_failed' });
    fail = false;
    await expect(Promise.resolve(sealer.seal(payload('{}')))).resolves.toMatchObject({ truncated: false });
  });
});

function caught(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}
