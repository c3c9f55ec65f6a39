/**
 * What an MCP message carries for a person or a model, taken out of its envelope: arguments, text, images, resources,
 * errors. What is not recognised stays in the JSON view; nothing is left out of that.
 */
import { isRecord, type Json } from './json.ts';

export type ContentBlock =
  | { readonly kind: 'text'; readonly label: string; readonly text: string; readonly mimeType?: string }
  | { readonly kind: 'json'; readonly label: string; readonly value: Json }
  | { readonly kind: 'image'; readonly label: string; readonly mimeType: string; readonly base64: string }
  | { readonly kind: 'file'; readonly label: string; readonly mimeType: string; readonly base64: string }
  | { readonly kind: 'link'; readonly label: string; readonly uri: string; readonly about?: string }
  | { readonly kind: 'error'; readonly label: string; readonly text: string };

/** Raster formats that browsers draw without running anything; SVG is not among them. */
const IMAGE_TYPES: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);

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
    { kind: 'error', label: `Error ${asText(code)}`, text: asText(message) },
    ...(data === undefined ? [] : [{ kind: 'json', label: 'Error data', value: data } as const]),
  ];
}

function ofParams(params: Json | undefined): readonly ContentBlock[] {
  if (!isRecord(params)) return [];
  const { arguments: given, messages, uri, systemPrompt } = params;
  return [
    ...(typeof uri === 'string' ? [{ kind: 'link', label: 'Resource', uri } as const] : []),
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
    const label = `Message from ${asText(message.role)}`;
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
      return [ofBytes(label, asText(mimeType), asText(data))];
    case 'resource':
      return resource === undefined ? [] : ofResource(resource, 'Embedded resource');
    case 'resource_link':
      return [{ kind: 'link', label: asText(name) || 'Resource link', uri: asText(uri), about: asText(description) }];
    default:
      return [{ kind: 'json', label, value: item }];
  }
}

function ofResource(resource: Json, label: string): readonly ContentBlock[] {
  if (!isRecord(resource)) return [];
  const { uri, text, blob, mimeType } = resource;
  const named = `${label} ${asText(uri)}`;
  if (typeof text === 'string') return [{ kind: 'text', label: named, text, mimeType: asText(mimeType) }];
  if (typeof blob === 'string') return [ofBytes(named, asText(mimeType), blob)];
  return [{ kind: 'link', label, uri: asText(uri) }];
}

function ofBytes(label: string, mimeType: string, base64: string): ContentBlock {
  const kind = IMAGE_TYPES.has(mimeType) && /^[A-Za-z0-9+/]+={0,2}$/.test(base64) ? 'image' : 'file';
  return { kind, label, mimeType: mimeType === '' ? 'application/octet-stream' : mimeType, base64 };
}

/** A single item stands for a list of one. */
function listOf(value: Json | undefined): readonly Json[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as readonly Json[]) : [value];
}

function asText(value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
