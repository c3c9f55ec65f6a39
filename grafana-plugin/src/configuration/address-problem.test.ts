import { expect, it } from 'vitest';
import { addressProblem } from './address-problem.ts';

it.each(['http://127.0.0.1:8081', 'https://audit.example.com', 'https://audit.example.com/', 'http://[::1]:8081'])(
  '%s is an address',
  (address) => {
    expect(addressProblem(address)).toBeUndefined();
  }
);

it.each([
  ['', 'Give an address'],
  ['audit-api:8081', 'Begin with http'],
  ['not an address', 'no address'],
  ['javascript:alert(1)', 'Begin with http'],
  ['http://ana:secret@audit.example.com', 'no name and password'],
  ['http://127.0.0.1:8081/api/v1', 'Leave out'],
  ['http://127.0.0.1:8081?x=1', 'Leave out'],
])('%s is not, and it is said why', (address, why) => {
  expect(addressProblem(address)).toContain(why);
});
