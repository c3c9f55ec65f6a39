/**
 * Finds payment card numbers in a run of digits: issuer range, length for that issuer, Luhn check. Part of the
 * redaction point; without the issuer range every tenth order number would be taken for a card.
 */

/** [first digits from, to, lengths] by issuer. */
const ISSUERS: readonly (readonly [from: string, to: string, lengths: readonly number[]])[] = [
  ['4', '4', [13, 16, 19]], // Visa
  ['51', '55', [16]], // Mastercard
  ['2221', '2720', [16]], // Mastercard
  ['34', '34', [15]], // American Express
  ['37', '37', [15]],
  ['6011', '6011', [16, 19]], // Discover
  ['644', '659', [16, 19]],
  ['3528', '3589', [16, 17, 18, 19]], // JCB
  ['300', '305', [14]], // Diners Club
  ['36', '36', [14]],
  ['38', '39', [14]],
  ['62', '62', [16, 17, 18, 19]], // UnionPay
  ['50', '50', [16, 19]], // Maestro
  ['56', '58', [16, 19]],
];
const SHORTEST = 13;
const LONGEST = 19;
/** Cards are printed as 4-4-4-4, 4-6-5 and the like; single digits with blanks are a table, 8-4-4 is a UUID. */
const GROUP = { first: 4, shortest: 3, longest: 6 };

function isCardNumber(digits: string): boolean {
  return (
    /[^0]/.test(digits.slice(6)) &&
    ISSUERS.some(([from, to, lengths]) => {
      const head = digits.slice(0, from.length);
      return head >= from && head <= to && lengths.includes(digits.length);
    }) &&
    luhnHolds(digits)
  );
}

/**
 * Replaces each card in a run of digit groups (`12/27` and a check number often stand right behind the card).
 * @param run digits, single blanks or dashes between groups
 */
export function replaceCardNumbers(run: string, placeholder: string): string {
  const groups = [...run.matchAll(/\d+/g)].map((one) => ({ at: one.index, digits: one[0] }));
  let result = '';
  let copiedTo = 0;
  for (let first = 0; first < groups.length; first++) {
    const end = cardEnd(groups, first);
    if (end === undefined) continue;
    result += run.slice(copiedTo, groups[first]?.at) + placeholder;
    const last = groups[end];
    copiedTo = last === undefined ? run.length : last.at + last.digits.length;
    first = end;
  }
  return result + run.slice(copiedTo);
}

/** Index of the last group of a card that begins with group `first`. */
function cardEnd(groups: readonly { digits: string }[], first: number): number | undefined {
  let digits = '';
  for (let last = first; last < groups.length; last++) {
    const group = groups[last]?.digits ?? '';
    digits += group;
    if (digits.length > LONGEST || !mayGroup(group.length, last - first)) return undefined;
    if (digits.length >= SHORTEST && isCardNumber(digits)) return last;
  }
  return undefined;
}

/** Of one group alone, any length may be a card. */
function mayGroup(length: number, position: number): boolean {
  if (position === 0) return length === GROUP.first || length >= SHORTEST;
  return length >= GROUP.shortest && length <= GROUP.longest;
}

function luhnHolds(digits: string): boolean {
  let sum = 0;
  for (let at = 0; at < digits.length; at++) {
    const digit = digits.charCodeAt(digits.length - 1 - at) - 48;
    const doubled = at % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
