import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DROPPED_BODY, createRedaction } from './redaction.ts';
import type { RedactedBody } from './redaction.ts';

const redaction = createRedaction();
const MARK = 'Zq7hunter2Xw';

function redact(
  text: string,
  format: 'json' | 'sse' | 'text' = 'json',
  by = redaction
): RedactedBody & { text: string } {
  const body = by.body({ format, bytes: Buffer.from(text) });
  return { ...body, text: Buffer.from(body.bytes).toString() };
}

function redactValue(value: unknown): { value: unknown; found: readonly string[] } {
  const { text, found } = redact(JSON.stringify(value));
  return { value: JSON.parse(text), found };
}

describe('redaction by key name', () => {
  it.each([
    ...[
      'password',
      'Password',
      'PASSWORD',
      'passwd',
      'pwd',
      'pass',
      'pass_word',
      'db_pass',
      'dbPassword',
      'user-password',
    ],
    ...['passphrase', 'passcode', 'secret', 'client_secret', 'clientSecret', 'CLIENT-SECRET', 'secretKey', 'token'],
    ...['access_token', 'accessToken', 'refresh-token', 'idToken', 'slackToken', 'token_v2', 'tokenValue', 'token1'],
    ...['api_key', 'apiKey', 'APIKEY', 'x-api-key', 'OPENAI_API_KEY', 'app_key', 'subscriptionKey', 'authorization'],
    ...[
      'Authorization',
      'auth',
      'private_key',
      'privateKey',
      'PRIVATE-KEY',
      'signing_key',
      'accessKeyId',
      'credentials',
    ],
    ...['aws_secret_access_key', 'cookie', 'Set-Cookie', 'session_id', 'sessionToken', 'jwt', 'bearer', 'otp', 'pin'],
    ...['cvv', 'card_number', 'ssn', 'connection_string', 'recovery_codes', 'code_verifier', 'passwort', 'contraseña'],
    ...['ｐａｓｓｗｏｒｄ', 'pass\u200bword', 'senha', 'X-Amz-Signature', 'sig', 'user_tokens'],
  ])('%s', (key) => {
    const { value, found } = redactValue({ a: [{ [key]: MARK, kept: 'yes' }] });
    expect(value).toEqual({ a: [{ [key]: '[redacted]', kept: 'yes' }] });
    expect(found).toHaveLength(1);
  });

  it.each([
    ...['max_tokens', 'maxTokens', 'prompt_tokens', 'totalTokens', 'progressToken', 'nextPageToken', 'token_type'],
    ...['tokenizer', 'token_count', 'tokenIndex', 'author', 'authority', 'keyboard', 'primary_key', 'publicKey', 'key'],
    ...['cache_key', 'compass', 'passenger', 'bypass', 'secretary', 'password_policy', 'password_length', 'secretName'],
    ...[
      'authorization_endpoint',
      'token_url',
      'private_key_path',
      'pinned',
      'spin',
      'designation',
      'nextCursor',
      'code',
    ],
    ...['session', 'order_number', 'panel', 'stringify', 'credits'],
  ])('%s is harmless', (key) => {
    const text = JSON.stringify({ [key]: MARK });
    expect(redact(text)).toMatchObject({ text, found: [] });
  });

  it('takes any value: numbers, objects, arrays; not true, false, null and nothing', () => {
    const { value, found } = redactValue({
      password: 12345,
      token: { deep: [MARK] },
      secret: [MARK, MARK],
      auth: true,
      pwd: null,
      cookie: '',
      pin: {},
      max_tokens: 100,
      tokens: 7,
      api_tokens: [MARK],
    });
    expect(value).toEqual({
      password: '[redacted]',
      token: '[redacted]',
      secret: '[redacted]',
      auth: true,
      pwd: null,
      cookie: '',
      pin: {},
      max_tokens: 100,
      tokens: 7,
      api_tokens: '[redacted]',
    });
    expect(found).toEqual(['$.password', '$.token', '$.secret', '$.api_tokens']);
  });

  it('takes the value beside a name, the second of a pair, and what follows a flag', () => {
    const { value, found } = redactValue({
      env: [
        { name: 'DB_PASSWORD', value: MARK },
        { value: { x: [MARK] }, key: 'api-key' },
        { name: 'HOME', value: '/root' },
      ],
      headers: [
        ['Authorization', MARK],
        ['Accept', '*/*'],
      ],
      args: ['run', '--password', MARK, '--token', '--verbose', `--api-key=${MARK}`],
      required: ['password', 'username'],
    });
    expect(JSON.stringify(value)).not.toContain(MARK);
    expect(value).toMatchObject({
      env: [{ value: '[redacted]' }, { value: '[redacted]' }, { value: '/root' }],
      headers: [
        ['Authorization', '[redacted]'],
        ['Accept', '*/*'],
      ],
      args: ['run', '--password', '[redacted]', '--token', '--verbose', '--api-key=[redacted]'],
      required: ['password', 'username'],
    });
    expect(found).toContain('$.env[1].value');
    expect(found).toContain('$.headers[0][1]');
    expect(found).toContain('$.args[2]');
  });

  it('leaves the schema of a password readable, but not a default in it', () => {
    const schema = {
      type: 'object',
      properties: {
        password: { type: 'string', description: 'of the account', minLength: 8 },
        credentials: { type: 'object', properties: { user: { type: 'string' }, token: { type: 'string' } } },
      },
      required: ['password'],
    };
    const text = JSON.stringify({ tools: [{ name: 'login', inputSchema: schema }] });
    expect(redact(text)).toMatchObject({ text, found: [] });
    const withDefault = JSON.stringify({
      properties: { password: { type: 'string', default: MARK, examples: [MARK] } },
    });
    expect(redact(withDefault).text).toBe(
      '{"properties":{"password":{"type":"string","default":"[redacted]","examples":"[redacted]"}}}'
    );
  });

  it('reports paths that lead to each place', () => {
    const { found } = redactValue({
      jsonrpc: '2.0',
      params: { arguments: { password: MARK, 'odd key': { token: MARK }, list: [{}, { pwd: MARK }] } },
    });
    expect(found).toEqual([
      '$.params.arguments.password',
      '$.params.arguments["odd key"].token',
      '$.params.arguments.list[1].pwd',
    ]);
  });

  it('takes keys of the installation, however they are spelled', () => {
    const own = createRedaction({ keys: ['credit-score', 'Größe'] });
    expect(redact(`{"creditScore":"${MARK}","größe":"${MARK}"}`, 'json', own).text).not.toContain(MARK);
    expect(redact(`credit_score=${MARK}`, 'text', own).text).toBe('credit_score=[redacted]');
    expect(redact(`{"creditScore":"${MARK}"}`).text).toContain(MARK);
  });
});

describe('redaction by shape', () => {
  const SHAPES: [kind: string, secret: string][] = [
    ['jwt', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'],
    ['api_key', 'sk-proj-Ab1Cd2Ef3Gh4Ij5Kl6Mn7'],
    ['api_key', 'sk-ant-api03-Ab1Cd2Ef3Gh4Ij5Kl6Mn7_x-Yz'],
    ['github_token', 'ghp_0123456789abcdefghij0123456789abcdef'],
    ['github_token', 'gho_0123456789abcdefghij0123456789abcdef'],
    ['github_token', 'github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz0123456789'],
    ['gitlab_token', 'glpat-0123456789abcdefghij'],
    ['aws_key_id', 'AKIAIOSFODNN7EXAMPLE'],
    ['aws_key_id', 'ASIAIOSFODNN7EXAMPLE'],
    ['slack_token', 'xoxb-123456789012-abcdefABCDEF'],
    ['slack_token', 'xapp-1-A0123456789-0123456789'],
    ['google_key', 'AIzaSyA-0123456789abcdefghijklmnopqrstu'],
    ['google_key', 'ya29.a0AfH6SMBx-0123456789abc'],
    ['stripe_key', ['sk', 'live', '0123456789abcdefghijABCD'].join('_')],
    ['gatelens_key', `gl_${'Ab1_'.repeat(10)}abc`],
    ['gatelens_key', `gla_${'Ab1-'.repeat(10)}abc`],
    ['npm_token', `npm_${'a1B2c3D4e5F6'.repeat(3)}`],
    ['pypi_token', `pypi-${'AgEIcHlwaS5vcmc'.repeat(3)}`],
    ['huggingface_token', 'hf_abcdefghijABCDEFGHIJ0123456789abcd'],
    ['sendgrid_key', 'SG.0123456789abcdefghijkl.0123456789abcdefghijklmnopqrstuvwxyz'],
    ['grafana_token', 'glsa_0123456789abcdefghijABCDEFGHIJ01_0123abcd'],
    ['vault_token', 'hvs.CAESIJ0123456789abcdefghij'],
    ['digitalocean_token', `dop_v1_${'0123456789abcdef'.repeat(4)}`],
    ['databricks_token', `dapi${'0123456789abcdef'.repeat(2)}`],
    ['telegram_token', `123456789:AA${'Hk1_'.repeat(8)}`],
    ['private_key', '-----BEGIN RSA PRIVATE KEY-----\nMIIEow==\n-----END RSA PRIVATE KEY-----'],
    ['private_key', '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----'],
    ['private_key', '-----BEGIN PGP PRIVATE KEY BLOCK-----\nlQOYBF\n-----END PGP PRIVATE KEY BLOCK-----'],
    ['card_number', '4111 1111 1111 1111'],
    ['card_number', '5500005555555559'],
    ['card_number', '3782-822463-10005'],
    ['card_number', '2223003122003222'],
  ];
  it.each(SHAPES)('%s %s', (kind, secret) => {
    const sentence = `before ${secret} after`;
    for (const format of ['text', 'json'] as const) {
      const { text } = redact(format === 'text' ? sentence : JSON.stringify({ note: [sentence] }), format);
      expect(format === 'text' ? text : JSON.parse(text).note[0]).toBe(`before [redacted:${kind}] after`);
    }
    // In quotes, in a URL, at both ends, behind written-out escapes, as a key.
    for (const around of [
      `"${secret}"`,
      `x=${secret}&y`,
      secret,
      String.raw`a\n${secret}`,
      `q%3D${secret}`,
      `(${secret})`,
    ]) {
      expect(redact(around, 'text').text, around).not.toContain(secret);
    }
    expect(redact(JSON.stringify({ [secret]: 1 })).text).not.toContain(JSON.stringify(secret).slice(1, -1));
  });

  it.each([
    ['Bearer abcdefgh12345678', 'Bearer [redacted:bearer_token]'],
    ['BEARER   abcdefgh12345678', 'BEARER   [redacted:bearer_token]'],
    [`Basic ${Buffer.from('ana:pässword').toString('base64')}`, 'Basic [redacted:basic_credentials]'],
    ['postgres://ana:s3cret@db/x', 'postgres://ana:[redacted:url_password]@db/x'],
    ['https://:s3cret@example.com', 'https://:[redacted:url_password]@example.com'],
    ['https://hooks.slack.com/services/T000/B000/XXXXXXXX', 'https://hooks.slack.com/[redacted:slack_webhook]'],
    ['card 4111 1111 1111 1111 12/27 123', 'card [redacted:card_number] 12/27 123'],
    ['in 2027 4111111111111111', 'in 2027 [redacted:card_number]'],
  ])('%s keeps what is no secret', (text, shown) => {
    expect(redact(text, 'text').text).toBe(shown);
  });

  it.each([
    'bearer certificates are hard to get',
    'the bearer of responsibilities',
    'basic authentication is not enough',
    'a task-management-system-overview of risk-assessment-frameworks',
    'sk-learn and scikit-learn',
    'eyJ is how JSON begins in base64',
    'order 1234567890123456 of 2026-11-24T08:00:00.000000000Z',
    '1700000000000000000',
    'phone 4111 1111',
    'uuid 41111111-1111-1111-1111-111111111111',
    'version 4.111111111111111',
    'AKIA is a prefix, AKIAlower too',
    'https://example.com/path:80@2x.png',
    'mail ana@example.com',
    '-----BEGIN PUBLIC KEY-----\nMCowBQ\n-----END PUBLIC KEY-----',
    '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
    'keyboard shortcuts: press the key: then go',
    'const token: string = read()',
    'max_tokens=4096 tokens: 12',
  ])('%s stays', (text) => {
    expect(redact(text, 'text')).toMatchObject({ text, found: [] });
  });

  it('finds a card in a bare number and writes valid JSON', () => {
    expect(redact('{"n":4111111111111111,"m":1234567890123456789}').text).toBe(
      '{"n":"[redacted:card_number]","m":1234567890123456789}'
    );
  });

  it('leaves e-mail addresses unless asked', () => {
    const text = 'from ana.b+c@mail.example.co.uk today';
    expect(redact(text, 'text').text).toBe(text);
    expect(redact(text, 'text', createRedaction({ emails: true })).text).toBe('from [redacted:email] today');
  });
});

describe('redaction by name in text', () => {
  it.each([
    [`password=${MARK} next`, 'password=[redacted]'],
    [`x password=${MARK} next`, 'x password=[redacted] next'],
    [`DB_PASSWORD="${MARK} b" OTHER=1`, 'DB_PASSWORD="[redacted]" OTHER=1'],
    [`export API_KEY=${MARK}\nexport HOME=/root`, 'export API_KEY=[redacted]\nexport HOME=/root'],
    [`mysql --password ${MARK} --host x`, 'mysql --password [redacted] --host x'],
    [`tool --api-key=${MARK} run`, 'tool --api-key=[redacted] run'],
    [`curl -H "Authorization: Custom ${MARK} x" http://h`, 'curl -H "Authorization: [redacted]" http://h'],
    [`Cookie: a=${MARK}; b=2\nHost: h`, 'Cookie: [redacted]\nHost: h'],
    [`token=${MARK}&user=bob`, 'token=[redacted]&user=bob'],
    [`see https://h/cb?code=1&access_token=${MARK}#f`, 'see https://h/cb?code=1&access_token=[redacted]'],
    [`<password>${MARK}</password>`, '<password>[redacted]</password>'],
    [`<ns:ApiKey type="x">${MARK}</ns:ApiKey>`, '<ns:ApiKey type="x">[redacted]</ns:ApiKey>'],
    [`{'password': '${MARK} b', 'x': 1}`, `{'password': '[redacted]', 'x': 1}`],
    [`secret => "${MARK}"`, 'secret => "[redacted]"'],
    [`password := ${MARK}`, 'password := [redacted]'],
    [`password:\n  "${MARK}"`, 'password:\n  "[redacted]"'],
    [`- passphrase: correct ${MARK} battery`, '- passphrase: [redacted]'],
    [`x%26token%3D${MARK}`, 'x%26token%3D[redacted]'],
    [String.raw`log: {\"password\":\"a\\\"${MARK}\",\"b\":1}`, String.raw`log: {\"password\":\"[redacted]\",\"b\":1}`],
    [`{"credentials": {"a": "}", "b": ["${MARK}"]}, "c": 1`, '{"credentials": [redacted], "c": 1'],
    [`"password": "${MARK} and no end`, '"password": "[redacted]'],
  ])('%j', (text, shown) => {
    expect(redact(text, 'text').text).toBe(shown);
  });
});

describe('redaction inside strings and streams', () => {
  it('walks JSON inside a string, keeps its layout, and says where', () => {
    const inner = JSON.stringify({ user: 'ana', password: MARK, n: 1.5 }, null, 2);
    const { text, found } = redact(JSON.stringify({ result: { content: [{ type: 'text', text: inner }] } }));
    expect(JSON.parse(text).result.content[0].text).toBe(inner.replace(MARK, '[redacted]'));
    expect(found).toEqual(['$.result.content[0].text#$.password']);
  });

  it('gives up on JSON in JSON in JSON in JSON, and hides it', () => {
    let value: unknown = { password: MARK };
    for (let level = 0; level < 8; level++) value = { text: JSON.stringify(value) };
    expect(redact(JSON.stringify(value)).text).not.toContain(MARK);
  });

  it('changes nothing but the secret: spelling of numbers, blanks, repeated keys, escapes', () => {
    const text = `{ "big" : 12345678901234567890, "f":1.50,\t"e":1E2,"a":"\\u00e9\\/","a":2,"password" : "${MARK}" , "x":[ ] }`;
    expect(redact(text).text).toBe(text.replace(`"${MARK}"`, '"[redacted]"'));
  });

  it('gives back the very same bytes when there is nothing to redact', () => {
    const bytes = Buffer.from('{"a": 1.0, "note":"grüße 🎉 key"}');
    const body = redaction.body({ format: 'json', bytes });
    expect(body.bytes).toBe(bytes);
    expect(body.found).toEqual([]);
  });

  it.each([
    ['escaped key', `{"pass\\u0077ord":"${MARK}"}`],
    ['repeated key', `{"password":"${MARK}","password":"${MARK}"}`],
    ['__proto__', `{"__proto__":{"password":"${MARK}"}}`],
    ['an array on top', `[1,{"password":"${MARK}"}]`],
    ['a string on top', `"password=${MARK}"`],
    ['byte order mark', `\ufeff{"password":"${MARK}"}`],
    ['escaped slashes', `{"u":"https:\\/\\/ana:${MARK}@h"}`],
    ['JSON in a string with escapes', JSON.stringify({ t: `{"pass\\u0077ord":"${MARK}"}` })],
    ['broken JSON in a string with escapes', JSON.stringify({ t: `say {"pass\\u0077ord":"${MARK}"` })],
    ['broken JSON', `{"password":"${MARK}",`],
    ['broken JSON with escapes', `{"pass\\u0077ord":"${MARK}",`],
    ['two JSON texts', `{"a":1}\n{"password":"${MARK}"}`],
    ['nested deeper than anybody writes', `${'['.repeat(5000)}{"password":"${MARK}"}${']'.repeat(5000)}`],
  ])('finds it behind: %s', (_, text) => {
    expect(redact(text).text).not.toContain(MARK);
    expect(redact(text, 'text').text).not.toContain(MARK);
    expect(redact(`data: ${text.replaceAll('\n', '\ndata: ')}\n\n`, 'sse').text).not.toContain(MARK);
  });

  it.each([
    ['no UTF-8', Buffer.concat([Buffer.from(`{"password":"${MARK}`), Buffer.from([0xff, 0x22, 0x7d])])],
    ['UTF-16', Buffer.from(`{"password":"${MARK}"}`, 'utf16le')],
    ['nested too deeply', Buffer.from(`${'['.repeat(5000)}"password=${MARK}"${']'.repeat(5000)}`)],
  ])('drops a body it cannot be sure of: %s', (_, bytes) => {
    const body = redaction.body({ format: 'json', bytes });
    expect(Buffer.from(body.bytes).toString()).toBe(DROPPED_BODY);
    expect(body).toMatchObject({ format: 'text', found: ['$'] });
  });

  it('redacts each event of a stream and keeps its form', () => {
    const stream =
      `: ping\r\nevent: message\r\nid: 1_a\r\ndata: {"params":{"password":"${MARK}"}}\r\n\r\n` +
      `data: {"a":\ndata: 1,"token":"${MARK}"}\n\nretry: 10\ndata:token=${MARK}\n\n:token=${MARK}\n\ndata: {"ok":true}\n\n`;
    const { text, found, format } = redact(stream, 'sse');
    expect(text).toBe(
      ': ping\r\nevent: message\r\nid: 1_a\r\ndata: {"params":{"password":"[redacted]"}}\r\n\r\n' +
        'data: {"a":\ndata: 1,"token":"[redacted]"}\n\nretry: 10\ndata:token=[redacted]\n\n:token=[redacted]\n\ndata: {"ok":true}\n\n'
    );
    expect(format).toBe('sse');
    expect(found).toEqual([
      'event[0]:$.params.password',
      'event[1]:$.token',
      'event[2]:text:token',
      'event[3]:comment',
    ]);
  });

  it('redacts a body with very many secrets in JSON inside a string instead of giving up', () => {
    const inner = JSON.stringify(Array.from({ length: 150_000 }, () => ({ pwd: MARK })));
    const { text, found } = redact(JSON.stringify({ text: inner }));
    expect(text).not.toContain(MARK);
    expect(JSON.parse(JSON.parse(text).text)).toHaveLength(150_000);
    expect(found[0]).toBe('$.text#$[0].pwd');
  });

  it('keeps the report short when there is very much to report', () => {
    const { found } = redactValue(Array.from({ length: 1000 }, () => ({ password: MARK })));
    expect(found).toHaveLength(201);
    expect(found.at(-1)).toBe('… and 800 more');
  });

  it('finds a secret wherever it stands in any JSON, and the rest stays as it was', () => {
    const key = fc.constantFrom('password', 'api_key', 'Token', 'clientSecret');
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), key, fc.boolean(), (around, name, deep) => {
        const secret = { [name]: MARK };
        const value = { before: around, at: deep ? [[secret]] : secret, after: around };
        const { text } = redact(JSON.stringify(value));
        expect(text).not.toContain(MARK);
        const result = JSON.parse(text) as typeof value;
        expect(result.at).toEqual(deep ? [[{ [name]: '[redacted]' }]] : { [name]: '[redacted]' });
      }),
      { numRuns: 200 }
    );
  });

  it.each([
    ['eyJ', 'eyJ-'],
    ['sk-', 'ask-'],
    ['digits', '1 '],
    ['groups', '4444 '],
    ['URLs', 'ab://x:'],
    ['open values', 'token={'],
    ['open flags', '--token {'],
    ['quotes', 'token=\\"'],
    ['tags', '<token>'],
    ['keys', '-----BEGIN PRIVATE KEY-----'],
    ['backslashes', '\\'],
    ['braces', '{"password":{'],
  ])('stays quick on 256 KB of hostile text: %s', (_, piece) => {
    const text = piece.repeat(Math.ceil(262_144 / piece.length));
    const started = performance.now();
    redact(text, 'text');
    redact(JSON.stringify({ password: 1, text }));
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
