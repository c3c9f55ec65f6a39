/**
 * Which names announce a credential: keys of JSON objects, names in `name=value` text, and header names. Spelling is
 * levelled first (case, camelCase, dashes, underscores, full-width letters), then compared word by word. Part of the
 * redaction point; judges names only and never sees a value.
 */

/** `unless-count`: a plural like `max_tokens`, where a plain number is a count and no credential. */
export type NameSensitivity = 'no' | 'yes' | 'unless-count';

/** Anywhere in the levelled name: `dbPasswordOld`, `X-Client-Secret`, `MY_APIKEY`. */
const STRONG_PARTS =
  /passw(?:or[dt]|d)|passphrase|passcode|passkey|kennwort|contrasen|motdepasse|secret(?!ar)|apikey|apitoken|privatekey|credential|authorization|bearer|connectionstring|(?:access|refresh|id|auth|session|security|bot|csrf|xsrf)token|(?:access|signing|encryption|master|account|storage|subscription|auth|session|deploy|license|shared|admin)key|sessionid|setcookie|codeverifier|seedphrase|mnemonic|(?:recovery|backup)codes?$|(?:card|creditcard|cc)number|socialsecurity|xamzsignature|xgoogsignature/;

/** The whole levelled name. */
const EXACT = new Set(
  (
    'pass pwd pw pin otp totp auth token jwt cookie cookies senha cvv cvv2 cvc cvc2 pan ssn sig sid ' +
    'pgpassword sshkey'
  ).split(' ')
);

/** The last word of a name of several words: `db_pass`, `slackToken`, `userPin`. */
const LAST_WORDS = new Set('pass pwd pw pin otp totp token jwt cookie cookies senha cvv cvc ssn'.split(' '));

/** `<one of these> key`: `app_key`, `clientKey`. `primary_key`, `public_key`, `cache_key` are none. */
const WORDS_BEFORE_KEY = new Set(
  (
    'api app application service consumer client private secret sign signing encryption ssh pgp gpg hmac aes rsa root ' +
    'bot user rapidapi functions'
  ).split(' ')
);

/** `token_bucket`, `tokenIndex`: tokens of a language model or of a scheduler. */
const HARMLESS_AFTER_TOKEN = new Set(
  'bucket budget index position offset id ids stream sequence embedding embeddings logprob logprobs'.split(' ')
);

/** A last word that makes the name a description of a credential: `token_type`, `password_length`, `secretName`. */
const NEUTRAL_LAST_WORDS = new Set(
  (
    'type count length url uri endpoint server servers policy name names required enabled disabled expires expiry ' +
    'expiration expired at ttl limit limits usage min max field path file filename format version algorithm alg ' +
    'algorithms method methods supported status error age strength rotated created updated description'
  ).split(' ')
);

/** Names made of sensitive words that stand for positions, not for rights. */
const HARMLESS = new Set(
  (
    'progresstoken pagetoken nextpagetoken prevpagetoken previouspagetoken nexttoken continuationtoken synctoken ' +
    'stoptoken eostoken bostoken padtoken unktoken septoken separatortoken masktoken clstoken'
  ).split(' ')
);

/** Ends of header names in `key` that are no credential. */
const HARMLESS_HEADER_KEYS =
  /^(?:sec-websocket-key\d?|idempotency-key|x-idempotency-key|.*(?:cache|surrogate|routing|partition|sort)-key)$/;
const HEADER_WORDS = new Set(
  'auth authentication authorization cookie session csrf xsrf otp totp jwt assertion signature sid pass pwd pin'.split(
    ' '
  )
);

/** Without any of these letters there is no built-in sensitive name in a text. */
const HINT =
  /pass|pwd|pw|secret|token|key|auth|cred|cookie|jwt|bearer|session|otp|pin|senha|kennwort|contrase|passe|cvv|cvc|ssn|pan|sig|sid|string|verifier|seed|mnemonic|code|number|security|[\uff01-\uff5e\ud835]/i;

const JUDGED_AT_MOST = 2048;
const LONGEST_REMEMBERED = 64;

export interface SensitiveNames {
  /** For keys in bodies and names in `name=value` text. */
  key(name: string): NameSensitivity;
  /** For header names; stricter, as headers have few reasons to carry such words. */
  header(name: string): NameSensitivity;
  /** A cheap necessary condition for `key`, for one name or a whole text. */
  hasHint(text: string): boolean;
}

/** Names that are sensitive in this installation, besides the built-in ones; spelling is levelled here too. */
export interface OwnNames {
  readonly keys?: readonly string[];
  readonly headers?: readonly string[];
}

export function createSensitiveNames(own: OwnNames = {}): SensitiveNames {
  const ownKeys = new Set(own.keys?.map(levelled));
  const ownHeaders = new Set(own.headers?.map(levelled));
  const hint = hintFor([...ownKeys]);
  const key = remembering((name) => (ownKeys.has(levelled(name)) ? 'yes' : judgeKey(name)));
  return {
    key: (name) => (hint.test(name) ? key(name) : 'no'),
    header: remembering((name) => (ownHeaders.has(levelled(name)) ? 'yes' : judgeHeader(name))),
    hasHint: (text) => hint.test(text),
  };
}

/** The built-in hint, and the own names with anything between their letters that levelling takes out. */
function hintFor(ownKeys: readonly string[]): RegExp {
  if (ownKeys.length === 0) return HINT;
  const own = ownKeys.map((key) =>
    /^[a-z0-9]+$/.test(key) ? Array.from(key).join('[^A-Za-z0-9]{0,3}') : String.raw`[^\x00-\x7f]`
  );
  return new RegExp([HINT.source, ...own].join('|'), 'i');
}

/** An API has few keys: each is judged once. Bounded, since clients choose the names. */
function remembering(judge: (name: string) => NameSensitivity): (name: string) => NameSensitivity {
  const known = new Map<string, NameSensitivity>();
  return (name) => {
    if (name.length > LONGEST_REMEMBERED) return judge(name);
    let verdict = known.get(name);
    if (verdict === undefined) {
      if (known.size >= JUDGED_AT_MOST) known.clear();
      verdict = judge(name);
      known.set(name, verdict);
    }
    return verdict;
  };
}

function judgeKey(name: string): NameSensitivity {
  const words = wordsOf(name);
  const joined = words.join('').replace(/\d+$/, '');
  if (joined === '') return 'no';
  if (EXACT.has(joined)) return 'yes';
  if (HARMLESS.has(joined)) return 'no';
  const last = (words.at(-1) ?? '').replace(/\d+$/, '') || (words.at(-2) ?? '');
  if (last === 'tokens') return STRONG_PARTS.test(joined) || words.length === 1 ? 'unless-count' : countOrSecret(words);
  if (words.length > 1 && NEUTRAL_LAST_WORDS.has(last)) return 'no';
  if (STRONG_PARTS.test(joined)) return 'yes';
  if (words.length > 1 && LAST_WORDS.has(last)) return 'yes';
  if (last === 'key' && WORDS_BEFORE_KEY.has(words.at(-2) ?? '')) return 'yes';
  const tokenAt = words.indexOf('token');
  return tokenAt >= 0 && !HARMLESS_AFTER_TOKEN.has(words[tokenAt + 1] ?? '') ? 'yes' : 'no';
}

/** `max_tokens` holds a count, `user_tokens` may hold either. */
function countOrSecret(words: readonly string[]): NameSensitivity {
  return words.some((word) => /^(?:max|min|prompt|completion|total|input|output|num|reasoning|thinking)$/.test(word))
    ? 'no'
    : 'unless-count';
}

function judgeHeader(name: string): NameSensitivity {
  const lower = name.toLowerCase();
  if (lower.startsWith('access-control-')) return 'no';
  const words = wordsOf(lower);
  const joined = words.join('');
  if (words.includes('tokens')) return 'unless-count';
  if (joined.includes('token') || STRONG_PARTS.test(joined) || EXACT.has(joined)) return 'yes';
  if (words.some((word) => HEADER_WORDS.has(word))) return 'yes';
  return joined.endsWith('key') && !HARMLESS_HEADER_KEYS.test(lower) ? 'yes' : 'no';
}

function levelled(name: string): string {
  return wordsOf(name).join('');
}

/** Letters and digits only, split at case changes and separators, lower case. */
function wordsOf(name: string): string[] {
  const plain = /^[\x20-\x7e]*$/.test(name) ? name : name.normalize('NFKD').replace(/\p{M}|\p{Cf}/gu, '');
  return plain
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}
