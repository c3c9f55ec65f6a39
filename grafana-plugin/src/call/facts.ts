/** What the overview says about a call, in groups, as data: the component only lays it out. */
import type { CallDetail } from '../data/contract.ts';
import { formatBytes, formatCount } from '../format/numbers.ts';
import { outcomeOf, OUTCOMES } from '../format/outcomes.ts';
import { userFilterValue, userName } from '../format/people.ts';
import { formatFull } from '../format/times.ts';
import type { FilterField } from '../url/call-filters.ts';

export interface Fact {
  readonly label: string;
  readonly text: string;
  /** what is copied, where it is more than the text */
  readonly copy?: string;
  readonly filter?: { readonly field: FilterField; readonly value: string };
  readonly isCode?: boolean;
}

export interface FactGroup {
  readonly title: string;
  readonly facts: readonly Fact[];
}

export function callFacts(call: CallDetail, timeZone: string): readonly FactGroup[] {
  const { user, client, session } = call;
  const groups: readonly FactGroup[] = [
    {
      title: 'What',
      facts: present([
        by('operation', 'Operation', call.operation),
        by('tool', 'Tool', call.tool),
        plain('Prompt', call.prompt),
        plain('Resource', call.resourceUri, true),
        by('server', 'Server', call.server),
        by('outcome', 'Status', outcomeOf(call), OUTCOMES[outcomeOf(call)].label),
        by('errorType', 'Error', call.errorType),
        plain('Error code', call.errorCode === null ? null : String(call.errorCode)),
        plain('HTTP status', call.httpStatus === null ? null : String(call.httpStatus)),
        by('kind', 'Kind', call.kind),
        plain('Started', formatFull(call.startedAt, timeZone)),
      ]),
    },
    {
      title: 'Who',
      facts: present([
        by('user', 'User', userFilterValue(user), userName(user)),
        plain('Login', user?.login),
        plain('Name', user?.name),
        plain('Known by', call.authMethod.replace('_', ' ')),
        by('key', 'API key', call.keyName),
        plain('Teams', call.teams.join(', ')),
        by('client', 'Client', client.name),
        by('clientVersion', 'Client version', client.version),
        plain('Address', client.address, true),
      ]),
    },
    {
      title: 'Policy',
      facts: present([
        plain('Rule', call.policyRule, true),
        plain('Refused by', call.deniedBy?.replace('_', ' ')),
        plain('Capture', call.captureMode),
        plain('Payload', call.payload.state.replace('_', ', ')),
        plain('Request SHA-256', call.payload.requestSha256, true),
        plain('Response SHA-256', call.payload.responseSha256, true),
      ]),
    },
    {
      title: 'Size',
      facts: present([
        plain('Request', formatBytes(call.requestBytes)),
        plain('Response', formatBytes(call.responseBytes)),
        plain('Estimated tokens', call.tokensEstimated === 0 ? null : formatCount(call.tokensEstimated)),
      ]),
    },
    {
      title: 'Where in the record',
      facts: present([
        by('session', 'Session', session.key),
        plain('Session from', session.kind === 'none' ? null : session.kind),
        by('traceId', 'Trace', call.traceId),
        plain('JSON-RPC id', call.rpcId, true),
        plain('Protocol', call.protocolVersion),
        plain('Call', call.id, true),
        plain('Part of call', call.parentId, true),
        plain('Chain', `${call.gatewayId} #${call.seq}`, true),
        plain('Record SHA-256', call.recordHash, true),
        plain('Stored', formatFull(call.ingestedAt, timeZone)),
        plain('Transport', call.upstreamTransport),
      ]),
    },
  ];
  return groups.filter(({ facts }) => facts.length > 0);
}

function plain(label: string, text: string | null | undefined, isCode = false): Fact | undefined {
  return text === null || text === undefined || text === '' ? undefined : { label, text, isCode };
}

function by(field: FilterField, label: string, value: string | null, text = value): Fact | undefined {
  if (value === null || value === '' || text === null) return undefined;
  const isCode = field === 'session' || field === 'traceId';
  return { label, text, copy: value, filter: { field, value }, isCode };
}

function present(facts: readonly (Fact | undefined)[]): readonly Fact[] {
  return facts.filter((fact) => fact !== undefined);
}
