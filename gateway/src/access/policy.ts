/**
 * Decides whether a caller may send a message to a server. Rules in order, the first that matches decides, no match is a
 * denial. Names are compared as they are: tools and servers exactly, e-mails without regard to the case of A–Z, nothing
 * normalised, so a look-alike letter is another name. A caller's text is never a pattern and never compiled.
 */
import { globMatches } from './glob.ts';
import { normalizeEmail } from './identity.ts';
import type { AuthenticatedCaller } from './principal.ts';

export interface PolicyRule {
  readonly name?: string;
  readonly allow: boolean;
  readonly users: readonly string[];
  readonly servers: readonly string[];
  readonly tools: readonly string[];
  readonly methods: readonly string[];
}

export interface PolicyQuestion {
  readonly caller: AuthenticatedCaller;
  readonly server: string;
  /** JSON-RPC method as sent; `stream` for a GET stream, `session/delete` for a DELETE */
  readonly method: string;
  /** name in `tools/call`, as sent */
  readonly tool?: string;
}

export interface PolicyDecision {
  readonly allow: boolean;
  /** name of the rule, its position (`#1`), or `''` when none matched */
  readonly rule: string;
  readonly reason: 'rule' | 'no_rule';
}

export interface Policy {
  decide(question: PolicyQuestion): PolicyDecision;
}

/** What a session needs before and around a tool call; opened by a rule that allows certain tools only. */
const TOOL_SESSION_METHODS: ReadonlySet<string> = new Set([
  'initialize',
  'ping',
  'server/discover',
  'tools/list',
  'logging/setLevel',
  'subscriptions/listen',
  'tasks/get',
  'tasks/result',
  'tasks/update',
  'tasks/cancel',
  'stream',
  'session/delete',
]);

export function createPolicy(rules: readonly PolicyRule[]): Policy {
  const compiled = rules.map((rule, index) => ({
    rule,
    decision: { allow: rule.allow, rule: rule.name ?? `#${index + 1}`, reason: 'rule' } as const,
    everyTool: rule.tools.includes('*'),
  }));
  const none: PolicyDecision = { allow: false, rule: '', reason: 'no_rule' };

  return {
    decide(question) {
      const found = compiled.find(
        ({ rule, everyTool }) =>
          matchesAny(rule.servers, question.server) &&
          matchesAny(rule.methods, question.method) &&
          (everyTool || matchesTool(rule, question)) &&
          rule.users.some((pattern) => matchesUser(pattern, question.caller))
      );
      return found?.decision ?? none;
    },
  };
}

function matchesTool(rule: PolicyRule, { method, tool }: PolicyQuestion): boolean {
  if (method === 'tools/call') return tool !== undefined && matchesAny(rule.tools, tool);
  // A denial of certain tools says nothing about the rest of the server.
  return rule.allow && (TOOL_SESSION_METHODS.has(method) || method.startsWith('notifications/'));
}

function matchesAny(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => globMatches(pattern, name));
}

/**
 * Each form speaks of one kind of name, so that nobody passes for another by choosing a name: a subject given by an
 * identity provider is never taken for a key's name, nor a team for a person.
 */
function matchesUser(pattern: string, caller: AuthenticatedCaller): boolean {
  if (pattern === '*') return true;
  if (pattern === 'anonymous') return caller.authMethod === 'anonymous';
  const [, kind, rest = ''] = /^(team|key|sub):(.*)$/s.exec(pattern) ?? [];
  if (kind === 'team') return caller.teams.some((team) => globMatches(rest, team));
  if (kind === 'sub') return caller.principal !== undefined && globMatches(rest, caller.principal.subject);
  if (kind === 'key') return isKey(caller) && globMatches(rest, caller.keyName);
  const email = caller.principal?.email;
  if (pattern.includes('@')) return email !== undefined && globMatches(normalizeEmail(pattern), email);
  return isKey(caller) && globMatches(pattern, caller.keyName);
}

function isKey(caller: AuthenticatedCaller): boolean {
  return caller.authMethod === 'api_key' && caller.keyName !== '';
}
