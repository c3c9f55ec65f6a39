import { generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { publicKeyOf } from './data-key-wrapping.ts';
import { createDataKeys } from './data-keys.ts';
import { addPublicKey, listKeys, loadKeyring, rotateKeys } from './keyring.ts';
import type { EncryptionSettings, Keyring } from './keyring.ts';
import { createPayloadOpener } from './payload-opener.ts';
import { createPayloadSealer } from './payload-sealer.ts';
import { createPseudonyms } from './pseudonyms.ts';
import { createRedaction } from './redaction.ts';
import type { PayloadInput, SealedPayload } from './seams.ts';

const NOVEMBER = (): Date => new Date('2026-11-24T08:00:00Z');
let dataDir = '';
const keysDir = (): string => join(dataDir, 'keys');
const modeOf = (path: string): number => statSync(path).mode & 0o777;

beforeEach(() => {
  dataDir = join(mkdtempSync(join(tmpdir(), 'gatelens-keyring-')), 'data');
});
afterEach(() => {
  rmSync(join(dataDir, '..'), { recursive: true, force: true });
});

interface Pair {
  readonly publicKey: string;
  readonly privateKey: string;
  readonly publicPem: string;
  readonly privatePem: string;
  readonly publicJwk: string;
  readonly privateJwk: string;
}

function pair(): Pair {
  const made = generateKeyPairSync('x25519');
  const jwk = made.privateKey.export({ format: 'jwk' });
  return {
    publicKey: jwk.x ?? '',
    privateKey: jwk.d ?? '',
    publicPem: made.publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    privatePem: made.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    publicJwk: JSON.stringify({ kty: jwk.kty, crv: jwk.crv, x: jwk.x }),
    privateJwk: JSON.stringify(jwk),
  };
}

function sealWith(keyring: Keyring): SealedPayload | Promise<SealedPayload> {
  const publicKey = keyring.publicKeys.get(keyring.activeKekId) ?? new Uint8Array();
  const body = Buffer.from('{"hello":"world"}');
  const input: PayloadInput = {
    callId: 'call-1',
    direction: 'response',
    subject: 'u',
    mode: 'full',
    format: 'json',
    headers: [],
    chunks: [body],
    bytes: body.length,
  };
  return createPayloadSealer({
    dataKeys: createDataKeys({ gateway: 'g', kekId: keyring.activeKekId, publicKey }),
    pseudonyms: createPseudonyms(keyring.pseudonymSecret),
    redaction: createRedaction(),
  }).seal(input);
}

async function readWith(keyring: Keyring, sealed: SealedPayload): Promise<string> {
  const opener = createPayloadOpener({ privateKey: (id) => keyring.privateKeys.get(id) });
  const dataKey = await opener.unwrap(sealed.newKey);
  return Buffer.from(
    opener.open(sealed.envelope, { callId: 'call-1', direction: 'response' }, dataKey).body
  ).toString();
}

describe('first start', () => {
  it('makes an encryption pair, a signing key and the pseudonym secret, for their owner alone', () => {
    const keyring = loadKeyring({ dataDir, now: NOVEMBER });
    expect(keyring.created).toBe(true);
    expect(keyring.activeKekId).toMatch(/^2026-11-[0-9a-f]{4}$/);
    expect(keyring.publicKeys.get(keyring.activeKekId)).toHaveLength(32);
    expect(keyring.privateKeys.get(keyring.activeKekId)).toHaveLength(32);
    expect(keyring.pseudonymSecret).toHaveLength(32);
    const message = Buffer.from('chain|1|hash');
    const signature = sign(null, message, keyring.signingKey.privateKey);
    expect(verify(null, message, keyring.signingKey.publicKey, signature)).toBe(true);
    expect(modeOf(keysDir())).toBe(0o700);
    const files = readdirSync(keysDir());
    expect(files).toHaveLength(5);
    for (const file of files) expect(modeOf(join(keysDir(), file)), file).toBe(0o600);
  });

  it('says where the keys are, what to back up, and how to bring others; never a key', () => {
    const keyring = loadKeyring({ dataDir });
    const text = keyring.warnings.join('\n');
    expect(keyring.warnings).toHaveLength(1);
    expect(text).toContain(keysDir());
    expect(text).toContain('Back them up');
    expect(text).toContain('encryption.publicKeys');
    for (const key of [...keyring.privateKeys.values(), keyring.pseudonymSecret]) {
      expect(text).not.toContain(Buffer.from(key).toString('base64url'));
    }
  });

  it('uses the same keys at the next start, without a warning', () => {
    const first = loadKeyring({ dataDir });
    const second = loadKeyring({ dataDir });
    expect(second).toMatchObject({ created: false, warnings: [], activeKekId: first.activeKekId });
    expect(second.privateKeys).toEqual(first.privateKeys);
    expect(second.publicKeys).toEqual(first.publicKeys);
    expect(second.pseudonymSecret).toEqual(first.pseudonymSecret);
    expect(second.signingKey.id).toBe(first.signingKey.id);
    expect(second.signingKey.privateKey.equals(first.signingKey.privateKey)).toBe(true);
  });

  it('carries on where a crash left it before the choice was written', () => {
    const first = loadKeyring({ dataDir });
    rmSync(join(keysDir(), 'active'));
    expect(loadKeyring({ dataDir }).activeKekId).toBe(first.activeKekId);
    rmSync(join(keysDir(), `encryption-${first.activeKekId}.public.jwk`));
    const again = loadKeyring({ dataDir });
    expect(again.activeKekId).toBe(first.activeKekId);
    expect(again.publicKeys).toEqual(first.publicKeys);
  });

  it('makes no encryption pair when the configuration brings one', () => {
    const { publicKey } = pair();
    const keyring = loadKeyring({ dataDir, encryption: { active: 'prod', publicKeys: { prod: publicKey } } });
    expect(keyring.activeKekId).toBe('prod');
    expect(keyring.privateKeys.size).toBe(0);
    expect(keyring.warnings).toEqual([]);
    expect(readdirSync(keysDir()).sort()).toEqual(['pseudonyms.jwk', 'signing.private.jwk']);
  });

  it('takes API keys that were made before the first start for no earlier start', () => {
    mkdirSync(keysDir(), { recursive: true, mode: 0o700 });
    for (const name of ['api-keys.json', 'audit-tokens.json', 'store.json']) {
      writeFileSync(join(keysDir(), name), '{}', { mode: 0o600 });
    }
    const { publicKey } = pair();
    const keyring = loadKeyring({ dataDir, encryption: { active: 'prod', publicKeys: { prod: publicKey } } });
    expect(keyring).toMatchObject({ created: true, warnings: [] });
  });

  it('seals and opens with what it made', async () => {
    const keyring = loadKeyring({ dataDir });
    expect(await readWith(loadKeyring({ dataDir }), await sealWith(keyring))).toBe('{"hello":"world"}');
  });
});

describe('rotation', () => {
  it('seals with the new pair and still opens what the old ones sealed', async () => {
    const before = loadKeyring({ dataDir, now: NOVEMBER });
    const old = await sealWith(before);
    const rotated = rotateKeys({ dataDir, now: () => new Date('2026-12-01T00:00:00Z') });
    expect(rotated.id).toMatch(/^2026-12-/);
    const after = loadKeyring({ dataDir });
    expect(after).toMatchObject({ activeKekId: rotated.id, created: false, warnings: [] });
    const fresh = await sealWith(after);
    expect(fresh.newKey?.kekId).toBe(rotated.id);
    expect(await readWith(after, old)).toBe('{"hello":"world"}');
    expect(await readWith(after, fresh)).toBe('{"hello":"world"}');
    expect(after.pseudonymSecret).toEqual(before.pseudonymSecret);
    expect(after.signingKey.id).toBe(before.signingKey.id);
  });

  it('cannot read what was sealed under a private half that was taken away', async () => {
    const keyring = loadKeyring({ dataDir });
    const sealed = await sealWith(keyring);
    rmSync(join(keysDir(), `encryption-${keyring.activeKekId}.private.jwk`));
    await expect(readWith(loadKeyring({ dataDir }), sealed)).rejects.toMatchObject({ reason: 'key_unavailable' });
  });

  it('lists ids, which is active, and where the private halves are; never a private key', () => {
    expect(listKeys({ dataDir })).toEqual([]);
    expect(existsSync(dataDir), 'listing makes nothing').toBe(false);
    const first = loadKeyring({ dataDir, now: NOVEMBER }).activeKekId;
    const { id, publicKey } = rotateKeys({ dataDir, now: () => new Date('2026-12-01T00:00:00Z') });
    addPublicKey({ dataDir, id: 'offline', key: pair().publicPem });
    const listed = listKeys({ dataDir });
    expect(listed.map((one) => [one.id, one.active, one.hasPrivateKey, one.source])).toEqual([
      [first, false, true, 'data directory'],
      [id, true, true, 'data directory'],
      ['offline', false, false, 'data directory'],
    ]);
    expect(listed[1]?.publicKey).toBe(publicKey);
    for (const key of loadKeyring({ dataDir }).privateKeys.values()) {
      expect(JSON.stringify(listed)).not.toContain(Buffer.from(key).toString('base64url'));
    }
  });
});

describe('a public key brought along', () => {
  const made = pair();
  it.each([
    ['base64url', made.publicKey],
    ['base64', Buffer.from(made.publicKey, 'base64url').toString('base64')],
    ['hex', Buffer.from(made.publicKey, 'base64url').toString('hex')],
    ['PEM', made.publicPem],
    ['JWK', made.publicJwk],
    ['with blanks around', `\n ${made.publicKey} \n`],
  ])('is taken as %s', async (_, key) => {
    loadKeyring({ dataDir });
    addPublicKey({ dataDir, id: 'offline', key, activate: true });
    const gateway = loadKeyring({ dataDir });
    expect(gateway.activeKekId).toBe('offline');
    expect(gateway.privateKeys.has('offline')).toBe(false);
    const sealed = await sealWith(gateway);
    const encryption = { active: 'offline', publicKeys: { offline: key }, privateKeys: { offline: made.privatePem } };
    expect(await readWith(loadKeyring({ dataDir, encryption }), sealed)).toBe('{"hello":"world"}');
  });

  it('becomes active when it is the first one, so that no private half is ever made here', () => {
    addPublicKey({ dataDir, id: 'offline', key: made.publicKey });
    const keyring = loadKeyring({ dataDir });
    expect(keyring.activeKekId).toBe('offline');
    expect(keyring.privateKeys.size).toBe(0);
    expect(readdirSync(keysDir()).join()).not.toContain('offline.private');
  });

  it.each([
    ['a private key in PEM', () => made.privatePem, 'is a private key'],
    ['a private key as JWK', () => made.privateJwk, 'is a private key'],
    ['nothing', () => '', 'no X25519 public key'],
    ['some text', () => 'hello', 'no X25519 public key'],
    ['31 bytes', () => randomBytes(31).toString('base64'), 'no X25519 public key'],
    ['an Ed25519 key', () => ed25519Pem(), 'no X25519 public key'],
    ['the point that makes every secret zero', () => Buffer.alloc(32).toString('base64'), 'no usable X25519 key'],
  ])('is refused when it is %s, with the reason and without showing it', (_, key, reason) => {
    loadKeyring({ dataDir });
    const before = readdirSync(keysDir());
    const add = (): void => {
      addPublicKey({ dataDir, id: 'x', key: key(), activate: true });
    };
    expect(add).toThrow(reason);
    if (key().length > 10) expect(messageOf(add)).not.toContain(key().slice(0, 12));
    expect(readdirSync(keysDir())).toEqual(before);
  });

  it.each(['', '../evil', 'a/b', '.hidden', 'x'.repeat(65), 'a b', 'a\u0000'])('is refused under the id %j', (id) => {
    expect(() => {
      addPublicKey({ dataDir, id, key: made.publicKey });
    }).toThrow('key id');
    expect(existsSync(dataDir)).toBe(false);
  });

  it('is refused under an id that another key has, and taken twice as the same', () => {
    const add = (key: string): void => {
      addPublicKey({ dataDir, id: 'offline', key });
    };
    add(made.publicKey);
    add(made.publicPem);
    expect(() => {
      add(pair().publicKey);
    }).toThrow('in use for another key');
    expect(listKeys({ dataDir })).toMatchObject([{ publicKey: made.publicKey }]);
  });
});

describe('keys in the configuration', () => {
  it('go before those of the data directory, which stay for reading', async () => {
    const own = loadKeyring({ dataDir });
    const old = await sealWith(own);
    const { publicKey, privateKey } = pair();
    const encryption = { active: 'prod', publicKeys: { prod: publicKey }, privateKeys: { prod: privateKey } };
    const both = loadKeyring({ dataDir, encryption });
    expect(both.activeKekId).toBe('prod');
    expect(await readWith(both, old)).toBe('{"hello":"world"}');
    expect(await readWith(both, await sealWith(both))).toBe('{"hello":"world"}');
    expect(listKeys({ dataDir, encryption }).map((one) => [one.id, one.active, one.source])).toEqual([
      [own.activeKekId, false, 'data directory'],
      ['prod', true, 'configuration'],
    ]);
  });

  const one = pair();
  const MISTAKES: [string, EncryptionSettings, string][] = [
    ['an active key that is not there', { active: 'b', publicKeys: { a: one.publicKey } }, 'encryption.active is "b"'],
    ['a public key that is none', { active: 'a', publicKeys: { a: 'QUJD' } }, 'encryption.publicKeys.a is no X25519'],
    ['a private key as the public one', { active: 'a', publicKeys: { a: one.privatePem } }, 'is a private key'],
    [
      'a private key of another pair',
      { active: 'a', publicKeys: { a: one.publicKey }, privateKeys: { a: pair().privateKey } },
      'encryption.privateKeys.a does not belong',
    ],
    [
      'a private key that is none',
      { active: 'a', publicKeys: { a: one.publicKey }, privateKeys: { a: 'sEcReT-but-no-key' } },
      'encryption.privateKeys.a is no X25519 private key',
    ],
  ];
  it.each(MISTAKES)('are refused with %s', (_, encryption, reason) => {
    const load = (): unknown => loadKeyring({ dataDir, encryption });
    expect(load).toThrow(reason);
    expect(messageOf(load)).not.toContain('sEcReT');
    expect(messageOf(load)).not.toContain(one.privateKey);
  });

  it('may not give an id of the data directory to another key', () => {
    const { activeKekId } = loadKeyring({ dataDir });
    const encryption = { active: activeKekId, publicKeys: { [activeKekId]: one.publicKey } };
    expect(() => loadKeyring({ dataDir, encryption })).toThrow('Give the new key a new id');
  });

  it('bring the pseudonym secret too: the same on every gateway, and no file', () => {
    const encryption = { active: 'a', publicKeys: { a: one.publicKey }, pseudonymKey: 'x'.repeat(40) };
    const here = loadKeyring({ dataDir, encryption });
    const there = loadKeyring({ dataDir: join(dataDir, 'other'), encryption });
    expect(here.pseudonymSecret).toEqual(there.pseudonymSecret);
    expect(here.pseudonymSecret).toHaveLength(32);
    expect(readdirSync(keysDir())).toEqual(['signing.private.jwk']);
    const other = loadKeyring({ dataDir, encryption: { ...encryption, pseudonymKey: 'y'.repeat(40) } });
    expect(other.pseudonymSecret).not.toEqual(here.pseudonymSecret);
  });
});

describe('a data directory that is not as it should be', () => {
  const fileOf = (part: string): string =>
    join(keysDir(), readdirSync(keysDir()).find((one) => one.includes(part)) ?? '?');

  it.each(['.public.jwk', '.private.jwk', 'signing', 'pseudonyms', 'active'])(
    'refuses a damaged %s file and keeps it',
    (part) => {
      loadKeyring({ dataDir });
      const file = fileOf(part);
      writeFileSync(file, '{"kty":"OKP","broken');
      expect(() => loadKeyring({ dataDir })).toThrow(/is damaged.*backup/s);
      expect(readFileSync(file, 'utf8')).toBe('{"kty":"OKP","broken');
    }
  );

  it('refuses the public half of another pair, which would lose every payload from now on', () => {
    loadKeyring({ dataDir });
    writeFileSync(fileOf('.public.jwk'), pair().publicJwk);
    expect(() => loadKeyring({ dataDir })).toThrow('belongs to another pair');
  });

  it('does not guess which of several keys seals', () => {
    loadKeyring({ dataDir });
    rotateKeys({ dataDir });
    rmSync(join(keysDir(), 'active'));
    expect(() => loadKeyring({ dataDir })).toThrow('keyring list');
  });

  it('names the active key when its files are gone', () => {
    const { activeKekId } = loadKeyring({ dataDir });
    for (const half of ['public', 'private']) rmSync(join(keysDir(), `encryption-${activeKekId}.${half}.jwk`));
    expect(() => loadKeyring({ dataDir })).toThrow(activeKekId);
  });

  it('warns when the pseudonym secret or the signing key had to be made anew', () => {
    const before = loadKeyring({ dataDir });
    rmSync(join(keysDir(), 'pseudonyms.jwk'));
    rmSync(join(keysDir(), 'signing.private.jwk'));
    const after = loadKeyring({ dataDir });
    expect(after.pseudonymSecret).not.toEqual(before.pseudonymSecret);
    expect(after.warnings.join('\n')).toMatch(/signing key was missing.*pseudonyms was missing/s);
    expect(after.created).toBe(false);
  });

  it.runIf(existsSync('/proc/self'))('gives up where the file system takes no directory', () => {
    expect(() => loadKeyring({ dataDir: '/proc/gatelens' })).toThrow(
      expect.objectContaining({ code: 'data_dir_unusable', message: expect.stringContaining('ENOENT') as string })
    );
  });

  it('warns about keys that others may read, and stops when they may write', () => {
    loadKeyring({ dataDir });
    const file = fileOf('.private.jwk');
    chmodSync(file, 0o640);
    const { warnings } = loadKeyring({ dataDir });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(file);
    expect(warnings[0]).toContain('chmod -R go=');
    chmodSync(file, 0o620);
    expect(() => loadKeyring({ dataDir })).toThrow(/may write to .*chmod -R go=/s);
    chmodSync(file, 0o600);
    chmodSync(keysDir(), 0o770);
    expect(() => loadKeyring({ dataDir })).toThrow(/may write to/);
    expect(() => rotateKeys({ dataDir })).toThrow(/may write to/);
  });

  it('stops when anybody may put another directory in the place of the keys', () => {
    loadKeyring({ dataDir });
    chmodSync(dataDir, 0o777);
    expect(() => loadKeyring({ dataDir })).toThrow(/Anybody may write to .*chmod o-w/s);
    chmodSync(dataDir, 0o1777);
    expect(loadKeyring({ dataDir }).warnings).toEqual([]);
    chmodSync(dataDir, 0o755);
    expect(loadKeyring({ dataDir }).warnings).toEqual([]);
  });

  it.runIf(process.getuid?.() === 0)('stops at keys that belong to another user', () => {
    loadKeyring({ dataDir });
    chownSync(fileOf('.public.jwk'), 12345, 12345);
    expect(() => loadKeyring({ dataDir })).toThrow(/public\.jwk belongs to another user/);
    chownSync(fileOf('.public.jwk'), 0, 0);
    chownSync(keysDir(), 12345, 12345);
    expect(() => loadKeyring({ dataDir })).toThrow(/belongs to another user/);
  });

  it('says what to do when it cannot be read or written', () => {
    mkdirSync(join(dataDir, '..'), { recursive: true });
    writeFileSync(dataDir, 'a file, no directory');
    expect(() => loadKeyring({ dataDir })).toThrow(/ENOTDIR.*set dataDir/s);
    rmSync(dataDir);
    loadKeyring({ dataDir });
    const file = fileOf('pseudonyms');
    rmSync(file);
    mkdirSync(file);
    expect(() => loadKeyring({ dataDir })).toThrow(/pseudonyms\.jwk cannot be read \(EISDIR\)/);
  });

  it('leaves no temporary file behind', () => {
    loadKeyring({ dataDir });
    rotateKeys({ dataDir });
    expect(readdirSync(keysDir()).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});

function ed25519Pem(): string {
  return generateKeyPairSync('ed25519').publicKey.export({ format: 'pem', type: 'spki' }).toString();
}

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return String(error);
  }
  return '';
}

it('derives the public half that OpenSSL derives', () => {
  const { publicKey, privateKey } = pair();
  expect(Buffer.from(publicKeyOf(Buffer.from(privateKey, 'base64url'))).toString('base64url')).toBe(publicKey);
});
