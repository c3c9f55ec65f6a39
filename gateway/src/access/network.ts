/**
 * Which addresses count as one: an IPv4 address is one, of IPv6 the /64, since whoever has one address there has all of
 * them. The answer is an address again (the first of its network), so that it can be shown where addresses are shown.
 */
import { isLoopbackHost } from './address.ts';

/** @param address as Node reports it */
export function networkOf(address: string): string {
  const bare = address.split('%', 1)[0] ?? '';
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(bare);
  if (mapped?.[1] !== undefined) return mapped[1];
  if (!bare.includes(':') || isLoopbackHost(bare)) return bare;
  const [head = '', tail] = bare.toLowerCase().split('::', 2);
  const before = groupsOf(head);
  const after = groupsOf(tail ?? '');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const groups = [...before, ...Array<string>(zeros).fill('0'), ...after].slice(0, 4);
  while (groups.at(-1) === '0') groups.pop();
  return groups.length === 0 ? '::' : `${groups.join(':')}::`;
}

/** An IPv4 address at the end takes the place of two groups; which ones it is does not matter behind the first four. */
function groupsOf(part: string): string[] {
  if (part === '') return [];
  return part.split(':').flatMap((group) => (group.includes('.') ? ['v4', 'v4'] : [group]));
}
