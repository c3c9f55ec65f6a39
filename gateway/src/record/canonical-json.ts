/**
 * One text for one JSON value: keys sorted, no blanks, as JSON.stringify writes strings and numbers. For what is
 * compared or signed whoever wrote it: an order of members is no difference. Refuses what is nested too deep.
 */
const MAX_DEPTH = 64;

/** @throws RangeError when nested deeper than 64 levels */
export function canonicalJson(value: unknown, depth = 0): string {
  if (depth > MAX_DEPTH) throw new RangeError('nested too deep');
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((one) => canonicalJson(one, depth + 1)).join(',')}]`;
  const members = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member, depth + 1)}`);
  return `{${members.join(',')}}`;
}
