/**
 * Credentials that are known by their shape: tokens with a vendor's prefix, JWTs, bearer and basic values, private
 * keys, passwords in URLs, card numbers, on demand e-mail addresses. Part of the redaction point. Every expression is
 * linear on hostile text: bounded repeats, or a run that is consumed whole whether it is a secret or not.
 */
import { replaceCardNumbers } from './card-number.ts';

export interface SecretPattern {
  /** shown in the placeholder: `[redacted:jwt]` */
  readonly name: string;
  readonly source: string;
  /** second look at what matched; gives the match back when it is none. Omitted: all of it becomes the placeholder. */
  readonly rewrite?: (match: string, placeholder: string) => string;
}

/**
 * Not in the middle of a word. An escape written out (`\nghp_…` in text that is still JSON-encoded, `%3Dghp_…` in a
 * URL) ends a word too.
 */
const START = String.raw`(?:(?<![A-Za-z0-9])|(?<=\\[nrtbf])|(?<=%[0-9A-Fa-f]{2}))`;

const BEARER = /^bearer(?:\s|%20|\+|\\[nrt]){1,4}/i;

function rewriteBearer(match: string, placeholder: string): string {
  const scheme = BEARER.exec(match)?.[0] ?? '';
  const token = match.slice(scheme.length);
  // "bearer certificates" is prose: a token has a digit, or is longer than words are.
  return /\d/.test(token) || token.length > 24 ? scheme + placeholder : match;
}

function rewriteBasic(match: string, placeholder: string): string {
  const encodedAt = match.search(/\S+$/);
  const decoded = Buffer.from(match.slice(encodedAt), 'base64').toString();
  return /^[^\p{Cc}\ufffd]*:[^\p{Cc}\ufffd]*$/u.test(decoded) ? match.slice(0, encodedAt) + placeholder : match;
}

function rewriteUrlPassword(match: string, placeholder: string): string {
  return `${match.slice(0, match.indexOf(':', match.indexOf('://') + 3) + 1)}${placeholder}@`;
}

/** A rewrite for patterns that also fit plain words. */
function only(looksSecret: (match: string) => boolean): (match: string, placeholder: string) => string {
  return (match, placeholder) => (looksSecret(match) ? placeholder : match);
}

export const SECRET_PATTERNS: readonly SecretPattern[] = [
  {
    name: 'private_key',
    source: String.raw`-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[^]*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|$)`,
  },
  { name: 'private_key', source: `${START}(?i:AGE-SECRET-KEY-1[a-z0-9]{20,})` },
  // A run that starts like a JWT is consumed whole and judged after, so that `eyJeyJeyJ…` costs no second scan.
  {
    name: 'jwt',
    source: String.raw`${START}eyJ[\w-]{8,}(?:\.[\w-]*){0,5}`,
    rewrite: only((match) => /^[\w-]+\.[\w-]/.test(match)),
  },
  {
    name: 'bearer_token',
    source: String.raw`${START}(?i:bearer)(?:\s|%20|\+|\\[nrt]){1,4}[A-Za-z0-9._~+/=-]{8,}`,
    rewrite: rewriteBearer,
  },
  {
    name: 'basic_credentials',
    source: String.raw`${START}(?i:basic)\s{1,4}[A-Za-z0-9+/]{6,}={0,2}`,
    rewrite: rewriteBasic,
  },
  { name: 'github_token', source: `${START}(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,})` },
  { name: 'gitlab_token', source: String.raw`${START}gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|soat)-[\w.-]{16,}` },
  {
    name: 'api_key',
    source: String.raw`${START}sk-[A-Za-z0-9_-]{16,}`,
    rewrite: only((match) => /\d/.test(match) || /[a-z][A-Z]/.test(match)),
  },
  { name: 'stripe_key', source: `${START}(?:[sr]k_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{16,})` },
  { name: 'aws_key_id', source: `${START}(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Z0-9])` },
  {
    name: 'slack_token',
    source: String.raw`${START}(?:xox[abeoprs](?:\.xox[bp])?-[A-Za-z0-9-]{8,}|xapp-\d-[A-Za-z0-9-]{10,})`,
  },
  {
    name: 'slack_webhook',
    source: String.raw`hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_-]{10,}`,
    rewrite: (match, placeholder) => match.slice(0, match.indexOf('/') + 1) + placeholder,
  },
  { name: 'google_key', source: String.raw`${START}(?:AIza[\w-]{30,}|ya29\.[\w-]{16,}|GOCSPX-[\w-]{16,})` },
  { name: 'gatelens_key', source: String.raw`${START}gla?_[\w-]{40,}` },
  { name: 'npm_token', source: `${START}npm_[A-Za-z0-9]{30,}` },
  { name: 'pypi_token', source: String.raw`${START}pypi-[\w-]{40,}` },
  { name: 'huggingface_token', source: `${START}hf_[A-Za-z0-9]{20,}` },
  { name: 'sendgrid_key', source: String.raw`${START}SG\.[\w-]{16,128}\.[\w-]{16,128}` },
  {
    name: 'grafana_token',
    source: String.raw`${START}(?:glsa_[A-Za-z0-9]{20,}_[0-9a-fA-F]{8}|glc_[A-Za-z0-9+/=]{20,})`,
  },
  { name: 'vault_token', source: String.raw`${START}hv[sbr]\.[\w-]{20,}` },
  { name: 'digitalocean_token', source: `${START}do[opr]_v1_[a-f0-9]{40,}` },
  { name: 'databricks_token', source: `${START}dapi[a-f0-9]{32}` },
  { name: 'telegram_token', source: String.raw`${START}\d{8,10}:AA[\w-]{30,}` },
  {
    name: 'url_password',
    source: String.raw`(?i:[a-z][a-z0-9+.-]{1,20}):\/\/[^\s\/?#@:"'<>\\]{0,128}:[^\s\/?#"'<>\\]{1,256}@`,
    rewrite: rewriteUrlPassword,
  },
  {
    name: 'card_number',
    source: String.raw`(?:(?<![\dA-Za-z_.-])|(?<=\\[nrtbf])|(?<=%[0-9A-Fa-f]{2}))\d(?:[ \u00a0-]?\d){12,}`,
    rewrite: replaceCardNumbers,
  },
];

export const EMAIL_PATTERN: SecretPattern = {
  name: 'email',
  source: String.raw`(?<![\w.+%-])[\w.+%-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}`,
};

/**
 * A cheap necessary condition for SECRET_PATTERNS: most texts have none of these and are left after one scan.
 */
export const PATTERN_HINT =
  /-----BEGIN|AGE-SECRET|age-secret|eyJ|[Bb][Ee][Aa][Rr][Ee][Rr]|[Bb][Aa][Ss][Ii][Cc]|gh[pousr]_|github_pat_|gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|soat)-|sk-|[sr]k_|whsec_|A[KSBC][ICA]A|xox[abeoprs]|xapp-|hooks\.slack|AIza|ya29\.|GOCSPX-|gla?_|npm_|pypi-|hf_|SG\.|glsa_|glc_|hv[sbr]\.|do[opr]_v1_|dapi|:AA|:\/\/[^\s/?#@]{0,386}@|\d(?:[ \u00a0-]?\d){12}/;
