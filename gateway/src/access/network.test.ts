import { isIP } from 'node:net';
import { describe, expect, it } from 'vitest';
import { networkOf } from './network.ts';

describe('which addresses count as one', () => {
  it.each([
    ['10.1.2.3', '10.1.2.3'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '::1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::'],
    ['2001:db8:1:2::9', '2001:db8:1:2::'],
    ['2001:DB8::9', '2001:db8::'],
    ['2001:db8::3:4:5:6', '2001:db8::'],
    ['fe80::1%eth0', 'fe80::'],
    ['64:ff9b::1.2.3.4', '64:ff9b::'],
    ['::2', '::'],
  ])('%s is of %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
    expect(isIP(network)).not.toBe(0);
  });

  it('a socket that is gone has none', () => expect(networkOf('')).toBe(''));
});
