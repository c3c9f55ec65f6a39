/**
 * Patterns of the policy: `*` stands for any run of characters, everything else for itself. No regular expression is
 * made of a pattern, so neither a strange pattern nor a hostile name can make it slow: the parts between the stars are
 * looked for one after the other, each as early as possible, which finds a match if there is one.
 */
export function globMatches(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return name === first;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}
