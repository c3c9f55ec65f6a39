/**
 * What an MCP message carries for a person or a model, taken out of its envelope: arguments, text, images, resources,
 * errors. What is not recognised stays in the JSON view; nothing is left out of that.
 */
import { isRecord, type Json } from './json.ts';
import { jsonBeginning } from './json-text.ts';

export type ContentBlock =
  | { readonly kind: 'text'; readonly label: string; readonly text: string; readonly mimeType?: string }
  | { readonly kind: 'json'; readonly label: string; readonly value: Json }
  | { readonly kind: 'image'; readonly label: string; readonly mimeType: string; readonly base64: string }
  | { readonly kind: 'file'; readonly label: string; readonly mimeType: string; readonly base64: string }
  | { readonly kind: 'link'; readonly label: string; readonly uri: string; readonly about?: string }
  | { readonly kind: 'error'; readonly label: string; readonly text: string };

/** Raster formats that browsers draw without running anything; SVG is not among them. */
const IMAGE_TYPES: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);

/** of a label, an address, a type */
const MAX_WORDS_CHARS = 400;
/** of something that is no text where a text should be */
const MAX_WRITTEN_CHARS = 10_000;

export function contentBlocks(messages: readonly Json[]): readonly ContentBlock[] {
  return messages.flatMap(ofMessage);
}

function ofMessage(message: Json): readonly ContentBlock[] {
  if (!isRecord(message)) return [];
  const { params, result, error } = message;
  return [...ofError(error), ...ofParams(params), ...ofResult(result)];
}

function ofError(error: Json | undefined): readonly ContentBlock[] {
  if (!isRecord(error)) return [];
  const { code, message, data } = error;
  return [
    { kind: 'error', label: `Error ${asWords(code)}`, text: asText(message) },
    ...(data === undefined ? [] : [{ kind: 'json', label: 'Error data', value: data } as const]),
  ];
}

function ofParams(params: Json | undefined): readonly ContentBlock[] {
  if (!isRecord(params)) return [];
  const { arguments: given, messages, uri, systemPrompt } = params;
  return [
    ...(typeof uri === 'string' ? [{ kind: 'link', label: 'Resource', uri: asWords(uri) } as const] : []),
    ...(given === undefined ? [] : [{ kind: 'json', label: 'Arguments', value: given } as const]),
    ...(typeof systemPrompt === 'string'
      ? [{ kind: 'text', label: 'System prompt', text: systemPrompt } as const]
      : []),
    ...ofPromptMessages(messages),
  ];
}

function ofResult(result: Json | undefined): readonly ContentBlock[] {
  if (!isRecord(result)) return [];
  const { content, contents, messages, structuredContent, isError } = result;
  const label = isError === true ? 'Error from the tool' : 'Content';
  return [
    ...listOf(content).flatMap((item) => ofItem(item, label)),
    ...listOf(contents).flatMap((item) => ofResource(item, 'Resource')),
    ...ofPromptMessages(messages),
    ...(structuredContent === undefined
      ? []
      : [{ kind: 'json', label: 'Structured content', value: structuredContent } as const]),
  ];
}

function ofPromptMessages(messages: Json | undefined): readonly ContentBlock[] {
  return listOf(messages).flatMap((message) => {
    if (!isRecord(message)) return [];
    const label = `Message from ${asWords(message.role)}`;
    return listOf(message.content).flatMap((item) => ofItem(item, label));
  });
}

function ofItem(item: Json, label: string): readonly ContentBlock[] {
  if (typeof item === 'string') return [{ kind: 'text', label, text: item }];
  if (!isRecord(item)) return [];
  const { type, text, data, mimeType, resource, uri, name, description } = item;
  switch (type) {
    case 'text':
      return [{ kind: 'text', label, text: asText(text) }];
    case 'image':
    case 'audio':
      return [ofBytes(label, asWords(mimeType), asText(data))];
    case 'resource':
      return resource === undefined ? [] : ofResource(resource, 'Embedded resource');
    case 'resource_link':
      return [
        { kind: 'link', label: asWords(name) || 'Resource link', uri: asWords(uri), about: asWords(description) },
      ];
    default:
      return [{ kind: 'json', label, value: item }];
  }
}

function ofResource(resource: Json, label: string): readonly ContentBlock[] {
  if (!isRecord(resource)) return [];
  const { uri, text, blob, mimeType } = resource;
  const named = `${label} ${asWords(uri)}`;
  if (typeof text === 'string') return [{ kind: 'text', label: named, text, mimeType: asWords(mimeType) }];
  if (typeof blob === 'string') return [ofBytes(named, asWords(mimeType), blob)];
  return [{ kind: 'link', label, uri: asWords(uri) }];
}

function ofBytes(label: string, mimeType: string, base64: string): ContentBlock {
  const kind = IMAGE_TYPES.has(mimeType) && /^[A-Za-z0-9+/]+={0,2}$/.test(base64) ? 'image' : 'file';
  return { kind, label, mimeType: mimeType === '' ? 'application/octet-stream' : mimeType, base64 };
}

/** For what is shown in one piece; the JSON view has it whole. */
function asWords(value: Json | undefined): string {
  const text = asText(value);
  return text.length > MAX_WORDS_CHARS ? `${text.slice(0, MAX_WORDS_CHARS)}…` : text;
}

/** A single item stands for a list of one. */
function listOf(value: Json | undefined): readonly Json[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as readonly Json[]) : [value];
}

function asText(value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : jsonBeginning(value, MAX_WRITTEN_CHARS);
}
