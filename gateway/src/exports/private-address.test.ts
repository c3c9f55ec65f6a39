import { describe, expect, test } from 'vitest';
import { isPrivateAddress, publicLookup, requirePublicHost } from './private-address.ts';

describe('addresses that nobody may type', () => {
  test.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    'fe80::1',
    'fd00::1',
    '::ffff:10.0.0.1',
    '::ffff:7f00:1',
    '64:ff9b::a00:1',
    '2002:7f00:1::',
    'no address',
  ])('%s is private', (address) => expect(isPrivateAddress(address)).toBe(true));

  test.each(['8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '::ffff:8.8.8.8'])('%s is not', (address) =>
    expect(isPrivateAddress(address)).toBe(false)
  );

  test.each([
    'https://127.0.0.1/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://[::1]/',
    'https://localhost/',
    'https://a.localhost/',
  ])('%s is refused as it is written', (url) =>
    expect(() => requirePublicHost(new URL(url))).toThrow('private network')
  );

  test('a name that leads to one leads nowhere', async () => {
    const error = await new Promise((done) => publicLookup('localhost', {}, (problem) => done(problem)));
    expect(error).toMatchObject({ name: 'PrivateAddress' });
  });
});
