/**
 * Changes of what an upstream server offers: the closed set, and one change as the gateway records it. Names of tools are
 * metadata; their descriptions and schemas are text of the server and stay in the sealed answers that are named here.
 */
export const TOOL_CHANGES = [
  /** the first list of this server that the gateway saw */
  'first_seen',
  /** a list that differs from the one before */
  'changed',
  /** back to a list that was seen earlier */
  'reverted',
] as const;
export type ToolChangeKind = (typeof TOOL_CHANGES)[number];

/** Members of a tool that are compared one by one; what is none of them is `other`. */
export const TOOL_PARTS = [
  'title',
  'description',
  'inputSchema',
  'outputSchema',
  'annotations',
  'icons',
  'execution',
  '_meta',
  'other',
] as const;
export type ToolPart = (typeof TOOL_PARTS)[number];

export interface ToolChange {
  readonly server: string;
  readonly change: ToolChangeKind;
  /** keyed hash of the whole list, order apart */
  readonly fingerprint: string;
  /** `''` for the first one */
  readonly previousFingerprint: string;
  /** in the list now */
  readonly tools: number;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** tools that were there before, with the members that differ */
  readonly changed: ReadonlyMap<string, readonly ToolPart[]>;
  /** who was shown the list */
  readonly client: { readonly name: string; readonly version: string };
  readonly protocolVersion: string;
  /** calls of tools/list, one a page, whose answers hold the list */
  readonly seenInCalls: readonly string[];
  /** the same of the list before, when it was last seen */
  readonly previousCalls: readonly string[];
}

export interface ToolChangeRecorder {
  /** Resolves when the record is on disk; rejects when it cannot be kept. */
  record(change: ToolChange): Promise<void>;
}
