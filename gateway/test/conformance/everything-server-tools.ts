/** Tools of the everything-server that only answer: every kind of content, errors, progress, log messages, list changes. */
import { setTimeout as delay } from 'node:timers/promises';
import { fromJsonSchema } from '@modelcontextprotocol/server';
import type {
  CallToolResult,
  JsonSchemaType,
  ServerContext,
  StandardSchemaWithJSON,
} from '@modelcontextprotocol/server';
import { PNG, WAV } from './everything-server-content.ts';
import { envelopeOf } from './everything-server-envelope.ts';
import type { EverythingTool, ListChanges } from './everything-server.ts';

const STEP_MS = 50;

export const NO_ARGUMENTS: StandardSchemaWithJSON = fromJsonSchema({ type: 'object' });

/** Its keywords have to reach the client as they stand here. */
const EVERY_KEYWORD = fromJsonSchema({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
});

const REGION: JsonSchemaType = { type: 'string' };
const REGION_IN_A_HEADER = fromJsonSchema({
  type: 'object',
  properties: { region: { ...REGION, ...{ 'x-mcp-header': 'Region' } } },
});

export function plainTools(changes: ListChanges): readonly EverythingTool[] {
  return [
    answering('test_simple_text', 'Answers with a text', () => text('This is a simple text response for testing.')),
    answering('test_image_content', 'Answers with an image', () => ({
      content: [{ type: 'image', data: PNG, mimeType: 'image/png' }],
    })),
    answering('test_audio_content', 'Answers with a sound', () => ({
      content: [{ type: 'audio', data: WAV, mimeType: 'audio/wav' }],
    })),
    answering('test_embedded_resource', 'Answers with a resource', () => ({
      content: [
        {
          type: 'resource',
          resource: {
            uri: 'test://embedded-resource',
            mimeType: 'text/plain',
            text: 'This is an embedded resource content.',
          },
        },
      ],
    })),
    answering('test_multiple_content_types', 'Answers with a text, an image and a resource', () => ({
      content: [
        { type: 'text', text: 'Multiple content types test:' },
        { type: 'image', data: PNG, mimeType: 'image/png' },
        {
          type: 'resource',
          resource: {
            uri: 'test://mixed-content-resource',
            mimeType: 'application/json',
            text: '{"test":"data","value":123}',
          },
        },
      ],
    })),
    answering('test_error_handling', 'Always fails', () => {
      throw new Error('This tool intentionally returns an error for testing');
    }),
    answering('test_tool_with_logging', 'Logs while it works', async (ctx) => {
      await log(ctx, 'Tool execution started');
      await delay(STEP_MS);
      await log(ctx, 'Tool processing data');
      await delay(STEP_MS);
      await log(ctx, 'Tool execution completed');
      return text('Logged three messages.');
    }),
    answering('test_logging_tool', 'Logs once, if asked to', async (ctx) => {
      await log(ctx, 'A log message');
      return text('Done.');
    }),
    answering('test_tool_with_progress', 'Reports progress while it works', async (ctx) => {
      await progress(ctx, 0);
      await delay(STEP_MS);
      await progress(ctx, 50);
      await delay(STEP_MS);
      await progress(ctx, 100);
      return text('Reported progress.');
    }),
    answering('test_reconnection', 'Closes its stream before it answers', async (ctx) => {
      ctx.http?.closeSSE?.();
      await delay(2 * STEP_MS);
      return text('Answered after the stream was closed.');
    }),
    answering('test_trigger_tool_change', 'Announces that the list of tools has changed', () => {
      changes.toolsChanged();
      return text('Announced.');
    }),
    answering('test_trigger_prompt_change', 'Announces that the list of prompts has changed', () => {
      changes.promptsChanged();
      return text('Announced.');
    }),
    {
      name: 'json_schema_2020_12_tool',
      description: 'Tool with JSON Schema 2020-12 features',
      inputSchema: EVERY_KEYWORD,
      run: () => text('Valid.'),
    },
    {
      name: 'test_x_mcp_header',
      description: 'Has an argument that is repeated in a header',
      inputSchema: REGION_IN_A_HEADER,
      run: ({ region }) => text(`Region: ${String(region)}`),
    },
  ];
}

export function text(value: string): CallToolResult {
  return { content: [{ type: 'text', text: value }] };
}

/** A tool without arguments. */
export function answering(
  name: string,
  description: string,
  run: (ctx: ServerContext) => ReturnType<EverythingTool['run']>
): EverythingTool {
  return { name, description, inputSchema: NO_ARGUMENTS, run: (_, ctx) => run(ctx) };
}

/** In the 2026 era a request says whether it wants log messages. */
async function log(ctx: ServerContext, data: string): Promise<void> {
  const envelope = envelopeOf(ctx);
  if (envelope !== undefined && envelope.logLevel === undefined) return;
  await ctx.mcpReq.notify({ method: 'notifications/message', params: { level: 'info', data } });
}

async function progress(ctx: ServerContext, value: number): Promise<void> {
  const progressToken = ctx.mcpReq._meta?.progressToken;
  if (progressToken === undefined) return;
  await ctx.mcpReq.notify({
    method: 'notifications/progress',
    params: { progressToken, progress: value, total: 100 },
  });
}
