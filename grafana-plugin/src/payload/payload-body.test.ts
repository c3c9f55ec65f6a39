import { describe, expect, it } from 'vitest';
import { contentBlocks } from './mcp-content.ts';
import { messagesOf, payloadBody } from './payload-body.ts';

const json = (value: unknown) => payloadBody({ state: 'opened', format: 'json', bodyText: JSON.stringify(value) });
const blocks = (message: unknown) => contentBlocks(messagesOf(json(message)));

describe('an opened body', () => {
  it.each([
    ['a cut JSON text', { format: 'json', bodyText: '{"a":' }, 'text'],
    ['an empty body', { format: 'json', bodyText: '' }, 'empty'],
    ['bytes that are no UTF-8', { format: 'text', bodyBase64: '/wA=' }, 'binary'],
    ['text that happens to be JSON', { format: 'text', bodyText: '12' }, 'text'],
  ] as const)('%s is shown as what it is', (_name, part, kind) => {
    expect(payloadBody({ state: 'opened', ...part }).kind).toBe(kind);
  });

  it('gives the messages of an event stream, with any line ends', () => {
    const stream = 'event: message\r\nid: 1\r\ndata: {"a":1}\r\n\r\n: ping\n\ndata: two\ndata: lines\n\n';
    const body = payloadBody({ state: 'opened', format: 'sse', bodyText: stream });
    expect(body).toMatchObject({
      kind: 'sse',
      events: [{ event: 'message', id: '1', data: { a: 1 } }, { data: 'two\nlines' }],
    });
    expect(messagesOf(body)).toEqual([{ a: 1 }, 'two\nlines']);
  });
});

describe('MCP content', () => {
  it('of a tool result is text, image and resource, each as itself', () => {
    const content = [
      { type: 'text', text: '<b>hi</b>' },
      { type: 'image', mimeType: 'image/png', data: 'iVBORw0=' },
      { type: 'resource', resource: { uri: 'file:///a', text: 'A' } },
      { type: 'resource_link', name: 'B', uri: 'file:///b' },
    ];
    expect(blocks({ result: { content } }).map(({ kind }) => kind)).toEqual(['text', 'image', 'text', 'link']);
  });

  it.each(['image/svg+xml', 'text/html', 'image/png" onerror="x'])('of type %s is never drawn', (mimeType) => {
    const content = [{ type: 'image', mimeType, data: 'PHN2Zz4=' }];
    expect(blocks({ result: { content } })[0]?.kind).toBe('file');
  });

  it('that claims to be an image but is no base64 is never put into an address', () => {
    const content = [{ type: 'image', mimeType: 'image/png', data: '"><script>' }];
    expect(blocks({ result: { content } })[0]?.kind).toBe('file');
  });

  it('is named in few words, however many were sent, and with something else than text where a text should be', () => {
    const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
    const long = JSON.stringify('x'.repeat(5_000_000));
    const content = `[{"type":"text","text":${deep}},{"type":"resource_link","name":${long},"uri":${long}}]`;
    const [text, link] = contentBlocks(
      messagesOf(payloadBody({ state: 'opened', format: 'json', bodyText: `{"result":{"content":${content}}}` }))
    );
    expect(text).toMatchObject({ kind: 'text', text: expect.stringMatching(/^\[\s+\[/) as string });
    expect(JSON.stringify([text, link]).length).toBeLessThan(20_000);
  });

  it.each([null, [], 'x', { result: null }, { result: { content: [null, 1, { type: 'new' }] } }, { error: 'x' }])(
    'that is none of the known shapes breaks nothing: %j',
    (message) => {
      expect(() => blocks(message)).not.toThrow();
    }
  );
});
