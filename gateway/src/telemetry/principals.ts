/**
 * Who a `user_key` is, as protected events: each person once a process, and again when a name or e-mail changed. An event
 * goes into the append of the first record that uses the key. Bounded: whoever called longest ago may be sent again.
 */
import type { HrTime, LogRecord } from '@opentelemetry/api';
import type { Principal } from '../access/principal.ts';
import { EVENT_PRINCIPAL, PRINCIPAL_ATTRIBUTES } from '../record/payload-events.ts';
import { epochNanos } from './clock.ts';
import { displayText } from './display-names.ts';

const MAX_REMEMBERED = 20_000;

export class Principals {
  /** by user key; the last is the one used last */
  readonly #known = new Map<string, { readonly principal: Principal; sent: boolean }>();

  /** Cheap when nothing changed. */
  remember(userKey: string, principal: Principal): void {
    const known = this.#known.get(userKey);
    if (known !== undefined && same(known.principal, principal)) return;
    this.#known.delete(userKey);
    this.#known.set(userKey, { principal, sent: false });
    if (this.#known.size > MAX_REMEMBERED) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
  }

  /** The principal to send with a record of this user, if it was not sent before. Call `unsent` if the append fails. */
  take(userKey: string): Principal | undefined {
    const known = this.#known.get(userKey);
    if (known === undefined || known.sent) return undefined;
    known.sent = true;
    return known.principal;
  }

  unsent(userKey: string): void {
    const known = this.#known.get(userKey);
    if (known !== undefined) known.sent = false;
  }
}

function same(a: Principal, b: Principal): boolean {
  return a === b || (a.subject === b.subject && a.email === b.email && a.login === b.login && a.name === b.name);
}

export function principalEvent(
  userKey: string,
  principal: Principal,
  seenAt: HrTime
): Omit<LogRecord, 'timestamp' | 'observedTimestamp' | 'context'> {
  const attributes: Record<string, string> = {
    [PRINCIPAL_ATTRIBUTES.userKey]: userKey,
    [PRINCIPAL_ATTRIBUTES.seenAt]: epochNanos(seenAt).toString(),
  };
  if (principal.email !== undefined) attributes[PRINCIPAL_ATTRIBUTES.email] = displayText(principal.email);
  if (principal.login !== undefined) attributes[PRINCIPAL_ATTRIBUTES.login] = displayText(principal.login);
  if (principal.name !== undefined) attributes[PRINCIPAL_ATTRIBUTES.name] = displayText(principal.name);
  return { eventName: EVENT_PRINCIPAL, attributes };
}
