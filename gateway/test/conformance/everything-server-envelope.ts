/** What a request of the 2026 era says about its client, in the types that the SDK's envelope does not have. */
import { CLIENT_CAPABILITIES_META_KEY } from '@modelcontextprotocol/server';
import type { ServerContext } from '@modelcontextprotocol/server';

export interface Envelope {
  readonly capabilities: Readonly<Record<string, unknown>>;
  readonly extensions: Readonly<Record<string, unknown>>;
  readonly logLevel?: string;
}

/** @returns undefined for a request of 2025 */
export function envelopeOf(ctx: ServerContext): Envelope | undefined {
  const { envelope } = ctx.mcpReq;
  if (envelope === undefined) return undefined;
  const values = new Map(Object.entries(envelope));
  const capabilities = recordOf(values.get(CLIENT_CAPABILITIES_META_KEY));
  const logLevel = values.get('io.modelcontextprotocol/logLevel');
  return {
    capabilities,
    extensions: recordOf(capabilities.extensions),
    ...(typeof logLevel === 'string' ? { logLevel } : {}),
  };
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
