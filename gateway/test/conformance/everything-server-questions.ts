/** Tools of the everything-server that ask the client while they run: requests of the server, as until 2025-11-25. */
import { fromJsonSchema } from '@modelcontextprotocol/server';
import type { ElicitRequestFormParams, ServerContext } from '@modelcontextprotocol/server';
import { answering, text } from './everything-server-tools.ts';
import type { EverythingTool } from './everything-server.ts';

type Properties = ElicitRequestFormParams['requestedSchema']['properties'];

const EVERY_DEFAULT: Properties = {
  name: { type: 'string', description: 'Name', default: 'John Doe' },
  age: { type: 'integer', description: 'Age', default: 30 },
  score: { type: 'number', description: 'Score', default: 95.5 },
  status: { type: 'string', description: 'Status', enum: ['active', 'inactive', 'pending'], default: 'active' },
  verified: { type: 'boolean', description: 'Verified', default: true },
};

const EVERY_ENUM: Properties = {
  untitledSingle: { type: 'string', description: 'One', enum: ['option1', 'option2', 'option3'] },
  titledSingle: { type: 'string', description: 'One, titled', oneOf: titled('Option') },
  legacyEnum: {
    type: 'string',
    description: 'One, titled the old way',
    enum: ['opt1', 'opt2', 'opt3'],
    enumNames: ['Option One', 'Option Two', 'Option Three'],
  },
  untitledMulti: {
    type: 'array',
    description: 'Several',
    items: { type: 'string', enum: ['option1', 'option2', 'option3'] },
  },
  titledMulti: { type: 'array', description: 'Several, titled', items: { anyOf: titled('Choice') } },
};

export function askingTools(): readonly EverythingTool[] {
  return [
    {
      name: 'test_sampling',
      description: 'Asks the model of the client',
      inputSchema: fromJsonSchema({
        type: 'object',
        properties: { prompt: { type: 'string' } },
        required: ['prompt'],
      }),
      run: async ({ prompt }, ctx) => {
        const params = {
          messages: [{ role: 'user' as const, content: { type: 'text' as const, text: String(prompt) } }],
          maxTokens: 100,
        };
        const { content } = await ctx.mcpReq.send({ method: 'sampling/createMessage', params });
        return text(`LLM response: ${JSON.stringify(content)}`);
      },
    },
    {
      name: 'test_elicitation',
      description: 'Asks the person at the client',
      inputSchema: fromJsonSchema({
        type: 'object',
        properties: { message: { type: 'string' } },
        required: ['message'],
      }),
      run: async ({ message }, ctx) => {
        const answer = await elicit(
          ctx,
          String(message),
          {
            username: { type: 'string', description: "User's response" },
            email: { type: 'string', description: "User's email address" },
          },
          ['username', 'email']
        );
        return text(`User response: ${JSON.stringify(answer)}`);
      },
    },
    answering('test_elicitation_sep1034_defaults', 'Asks with a default for each type', async (ctx) => {
      const { action, content } = await elicit(ctx, 'Check these values', EVERY_DEFAULT);
      return text(`Elicitation completed: action=${action}, content=${JSON.stringify(content)}`);
    }),
    answering('test_elicitation_sep1330_enums', 'Asks with each kind of enumeration', async (ctx) => {
      const { action, content } = await elicit(ctx, 'Choose', EVERY_ENUM);
      return text(`Elicitation completed: action=${action}, content=${JSON.stringify(content)}`);
    }),
  ];
}

async function elicit(ctx: ServerContext, message: string, properties: Properties, required: string[] = []) {
  const requestedSchema = { type: 'object' as const, properties, required };
  return ctx.mcpReq.send({ method: 'elicitation/create', params: { mode: 'form', message, requestedSchema } });
}

function titled(noun: string): { const: string; title: string }[] {
  return ['First', 'Second', 'Third'].map((ordinal, index) => ({
    const: `value${index + 1}`,
    title: `${ordinal} ${noun}`,
  }));
}
