/**
 * Every long-lived key of an installation, from the configuration and from `<dataDir>/keys`: public keys that data keys
 * are wrapped to, private halves where payloads may be read, the signing key, the pseudonym secret. Makes what is
 * missing on first start and says so. Key material never appears in a message.
 */
import { hkdfSync } from 'node:crypto';
import { GatelensError } from '../errors.ts';
import { publicKeyOf } from './data-key-wrapping.ts';
import { decodePrivateKey, decodePublicKey, encodeKey } from './key-encoding.ts';
import { KEY_ID, KeyStore } from './key-store.ts';
import type { SigningKey } from './key-store.ts';
import { PSEUDONYM_SECRET_BYTES } from './pseudonyms.ts';

/** `encryption` of the configuration. */
export interface EncryptionSettings {
  readonly active: string;
  readonly publicKeys: Readonly<Record<string, string>>;
  readonly privateKeys?: Readonly<Record<string, string>>;
  readonly pseudonymKey?: string;
}

export interface KeyringOptions {
  readonly dataDir: string;
  /** omitted: keys of the data directory */
  readonly encryption?: EncryptionSettings;
  readonly now?: () => Date;
}

export interface Keyring {
  /** new data keys are wrapped to this one */
  readonly activeKekId: string;
  /** raw X25519 by id */
  readonly publicKeys: ReadonlyMap<string, Uint8Array>;
  /** those held here; none on a gateway that has public halves only */
  readonly privateKeys: ReadonlyMap<string, Uint8Array>;
  /** Ed25519, for chain checkpoints */
  readonly signingKey: SigningKey;
  /** 32 bytes, for createPseudonyms */
  readonly pseudonymSecret: Uint8Array;
  /** keys were made just now */
  readonly created: boolean;
  /** to be shown to the person who starts it */
  readonly warnings: readonly string[];
}

export interface ListedKey {
  readonly id: string;
  readonly active: boolean;
  /** base64url */
  readonly publicKey: string;
  readonly hasPrivateKey: boolean;
  readonly source: 'configuration' | 'data directory';
}

interface EncryptionKeys {
  readonly activeKekId: string;
  readonly publicKeys: Map<string, Uint8Array>;
  readonly privateKeys: Map<string, Uint8Array>;
}

/** @throws GatelensError `config_invalid` or `data_dir_unusable` */
export function loadKeyring(options: KeyringOptions): Keyring {
  const { encryption } = options;
  const store = new KeyStore(options.dataDir);
  const warnings: string[] = [];
  const isFirstPair = encryption === undefined && store.activeId() === undefined;
  if (isFirstPair) {
    store.createFirstPair(nowOf(options));
    warnings.push(firstPairWarning(store.files.directory));
  }
  // API keys and tokens lie here, too, and may be made before the first start.
  const hadKeys = !isFirstPair && store.files.list().some((name) => name.endsWith('.jwk'));
  const keys = mergedKeys(options, store);
  if (hadKeys && !store.has('signing key')) warnings.push(newSigningKeyWarning(store.files.directory));
  const signingKey = store.signingKey();
  const pseudonymSecret = pseudonymSecretOf(encryption, store, hadKeys, warnings);
  warnings.push(...store.files.checkPermissions());
  return { ...keys, signingKey, pseudonymSecret, created: isFirstPair || !hadKeys, warnings };
}

/** For `gatelens keyring list`. Makes nothing. */
export function listKeys(options: KeyringOptions): readonly ListedKey[] {
  const store = new KeyStore(options.dataDir);
  if (options.encryption === undefined && store.activeId() === undefined) return [];
  const { activeKekId, publicKeys, privateKeys } = mergedKeys(options, store);
  const configured = options.encryption?.publicKeys ?? {};
  return [...publicKeys].map(([id, publicKey]) => ({
    id,
    active: id === activeKekId,
    publicKey: encodeKey(publicKey),
    hasPrivateKey: privateKeys.has(id),
    source: Object.hasOwn(configured, id) ? 'configuration' : 'data directory',
  }));
}

export interface NewPublicKey {
  readonly dataDir: string;
  readonly id: string;
  /** base64, hex, JWK or PEM */
  readonly key: string;
  /** seal with it from the next start on */
  readonly activate?: boolean;
}

/**
 * For `gatelens keyring add`: a public key whose private half is kept elsewhere.
 * @throws GatelensError `config_invalid` for a bad key or id, or an id that is in use
 */
export function addPublicKey(added: NewPublicKey): void {
  if (!KEY_ID.test(added.id)) {
    throw new GatelensError(
      'config_invalid',
      'The key id must begin with a letter or digit and have letters, digits, ".", "_" and "-" only, at most 64.'
    );
  }
  const publicKey = decodePublicKey(added.key, 'The key');
  const store = new KeyStore(added.dataDir);
  const known = store.encryptionKeys().find((one) => one.id === added.id);
  const isSame = known !== undefined && Buffer.from(known.publicKey).equals(publicKey);
  if (!isSame && (known !== undefined || !store.addPublic(added.id, publicKey))) {
    throw new GatelensError('config_invalid', `The key id "${added.id}" is in use for another key. Choose another id.`);
  }
  // The only key there is seals in any case; of several, the choice must not be left open.
  if (added.activate === true || store.files.read('active') === undefined) store.activate(added.id);
}

/**
 * For `gatelens keyring rotate`: a new pair seals from the next start on; old private halves stay, so that what they
 * sealed can be read.
 */
export function rotateKeys(options: Omit<KeyringOptions, 'encryption'>): { id: string; publicKey: string } {
  const store = new KeyStore(options.dataDir);
  // Read what is there first: a damaged or exposed directory must not get a new key on top.
  store.encryptionKeys();
  if (store.files.list().length > 0) store.files.checkPermissions();
  const { id, publicKey } = store.createPair(nowOf(options));
  store.activate(id);
  return { id, publicKey: encodeKey(publicKey) };
}

function mergedKeys(options: KeyringOptions, store: KeyStore): EncryptionKeys {
  const publicKeys = new Map<string, Uint8Array>();
  const privateKeys = new Map<string, Uint8Array>();
  for (const key of store.encryptionKeys()) {
    publicKeys.set(key.id, key.publicKey);
    if (key.privateKey !== undefined) privateKeys.set(key.id, key.privateKey);
  }
  const { encryption } = options;
  if (encryption !== undefined) addConfigured(encryption, publicKeys, privateKeys);
  const activeKekId = encryption?.active ?? store.activeId() ?? '';
  if (publicKeys.has(activeKekId)) return { activeKekId, publicKeys, privateKeys };
  if (encryption !== undefined) {
    throw new GatelensError(
      'config_invalid',
      `encryption.active is "${activeKekId}", but encryption.publicKeys has no key of that id. Add it there.`
    );
  }
  throw new GatelensError(
    'data_dir_unusable',
    `${store.files.directory}/active names the key "${activeKekId}", which is not there. Put its files back from a backup, or make a new one with "gatelens keyring rotate".`
  );
}

function addConfigured(
  encryption: EncryptionSettings,
  publicKeys: Map<string, Uint8Array>,
  privateKeys: Map<string, Uint8Array>
): void {
  for (const [id, text] of Object.entries(encryption.publicKeys)) {
    const key = decodePublicKey(text, `encryption.publicKeys.${id}`);
    const known = publicKeys.get(id);
    if (known !== undefined && !Buffer.from(known).equals(key)) {
      throw new GatelensError(
        'config_invalid',
        `encryption.publicKeys.${id} is another key than the one of that id in the data directory. Give the new key a new id.`
      );
    }
    publicKeys.set(id, key);
  }
  for (const [id, text] of Object.entries(encryption.privateKeys ?? {})) {
    const key = decodePrivateKey(text, `encryption.privateKeys.${id}`);
    const publicKey = publicKeys.get(id);
    if (publicKey !== undefined && !Buffer.from(publicKeyOf(key)).equals(publicKey)) {
      throw new GatelensError(
        'config_invalid',
        `encryption.privateKeys.${id} does not belong to the public key of that id. Give both halves of one pair the same id.`
      );
    }
    privateKeys.set(id, key);
    publicKeys.set(id, publicKey ?? publicKeyOf(key));
  }
}

function pseudonymSecretOf(
  encryption: EncryptionSettings | undefined,
  store: KeyStore,
  hadKeys: boolean,
  warnings: string[]
): Uint8Array {
  const configured = encryption?.pseudonymKey;
  if (configured !== undefined) {
    // Any text of enough length will do, so it is spread over all 32 bytes.
    return new Uint8Array(hkdfSync('sha256', configured, '', 'gatelens pseudonym secret v1', PSEUDONYM_SECRET_BYTES));
  }
  if (hadKeys && !store.has('pseudonym secret')) {
    warnings.push(
      `The secret of the pseudonyms was missing in ${store.files.directory}, so a new one was made: people and sessions get new keys in the audit log and no longer match older records. Put pseudonyms.jwk back from a backup if you have it.`
    );
  }
  return store.pseudonymSecret();
}

function newSigningKeyWarning(directory: string): string {
  return (
    `The signing key was missing in ${directory}, so a new one was made: checkpoints from now on carry another key id. ` +
    'Put signing.private.jwk back from a backup if you have it; somebody may have taken it.'
  );
}

function firstPairWarning(directory: string): string {
  return (
    `Encryption keys were made in ${directory}. Back them up: without them sealed payloads cannot be read. ` +
    'The private half lies beside the gateway, so who takes this machine can read payloads. For production make a pair ' +
    'elsewhere (openssl genpkey -algorithm x25519), set encryption.active and encryption.publicKeys here, and ' +
    'encryption.privateKeys only where the audit API runs.'
  );
}

function nowOf(options: { readonly now?: () => Date }): Date {
  return options.now?.() ?? new Date();
}
