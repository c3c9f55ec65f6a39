/**
 * Who a caller is, in the clear. Lives only in memory and in `mcp_protected.principals`; metadata carries the keyed hash
 * (`Caller.userKey`) instead.
 */
import type { Caller } from '../mcp/observer.ts';

export interface Principal {
  /** stable identity the keyed hash is made of: lower-case e-mail, or the subject where there is no e-mail */
  readonly subject: string;
  readonly email?: string;
  readonly login?: string;
  readonly name?: string;
}

/** What authentication gives the MCP endpoint. */
export interface AuthenticatedCaller extends Caller {
  /** absent for anonymous callers */
  readonly principal?: Principal;
}

/** Tells callers apart where each has a limit of their own; keys without a user have one each. */
export function callerId({ authMethod, userKey, keyName }: Caller): string {
  return `${authMethod}\0${userKey}\0${keyName}`;
}
