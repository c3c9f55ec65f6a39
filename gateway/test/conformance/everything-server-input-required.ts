/** Tools of the everything-server that need input before they can answer: rounds of `input_required` (2026-07-28). */
import { acceptedContent, inputRequired, inputResponse } from '@modelcontextprotocol/server';
import type { InputRequest, RequestStateCodec } from '@modelcontextprotocol/server';
import { envelopeOf } from './everything-server-envelope.ts';
import { answering, text } from './everything-server-tools.ts';
import type { EverythingTool } from './everything-server.ts';

export function inputRequiredTools(states: RequestStateCodec<{ readonly step: number }>): readonly EverythingTool[] {
  return [
    answering('test_input_required_result_elicitation', 'Asks for a name', (ctx) => {
      const answer = acceptedContent<{ name: unknown }>(ctx.mcpReq.inputResponses, 'user_name');
      if (answer !== undefined) return text(`Hello, ${String(answer.name)}!`);
      return inputRequired({ inputRequests: { user_name: askName('What is your name?') } });
    }),
    answering('test_input_required_result_sampling', 'Asks the model of the client', (ctx) => {
      const answer = inputResponse(ctx.mcpReq.inputResponses, 'capital_question');
      if (answer.kind === 'sampling') return text(`The model said: ${JSON.stringify(answer.result.content)}`);
      return inputRequired({ inputRequests: { capital_question: askModel('What is the capital of France?') } });
    }),
    answering('test_input_required_result_list_roots', 'Asks for the roots', (ctx) => {
      const answer = inputResponse(ctx.mcpReq.inputResponses, 'client_roots');
      if (answer.kind === 'roots') return text(`Roots: ${answer.roots.map((root) => root.uri).join(', ')}`);
      return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } });
    }),
    ...['test_input_required_result_request_state', 'test_input_required_result_tampered_state'].map((name) =>
      answering(name, 'Asks to confirm, and checks the state that comes back', async (ctx) => {
        const state = ctx.mcpReq.requestState<{ step: number }>();
        const answer = acceptedContent(ctx.mcpReq.inputResponses, 'confirm');
        if (state?.step === 1 && answer !== undefined) return text('state-ok');
        const confirm = ask('Please confirm', { ok: { type: 'boolean' } });
        return inputRequired({ inputRequests: { confirm }, requestState: await states.mint({ step: 1 }, ctx) });
      })
    ),
    answering('test_input_required_result_multiple_inputs', 'Asks three things at once', async (ctx) => {
      const responses = ctx.mcpReq.inputResponses ?? {};
      const wanted = ['user_name', 'greeting', 'client_roots'];
      if (wanted.every((key) => key in responses) && ctx.mcpReq.requestState() !== undefined)
        return text('All answered.');
      return inputRequired({
        inputRequests: {
          user_name: askName('What is your name?'),
          greeting: askModel('Generate a greeting'),
          client_roots: inputRequired.listRoots(),
        },
        requestState: await states.mint({ step: 1 }, ctx),
      });
    }),
    answering('test_input_required_result_multi_round', 'Asks in two rounds', async (ctx) => {
      const step = ctx.mcpReq.requestState<{ step: number }>()?.step ?? 0;
      const { inputResponses } = ctx.mcpReq;
      if (step === 2 && acceptedContent(inputResponses, 'step2') !== undefined) return text('Both rounds are done.');
      const next = step === 1 && acceptedContent(inputResponses, 'step1') !== undefined ? 2 : 1;
      const question =
        next === 1
          ? { step1: askName('Step 1: What is your name?') }
          : { step2: ask('Step 2: What is your favorite color?', { color: { type: 'string' } }) };
      return inputRequired({ inputRequests: question, requestState: await states.mint({ step: next }, ctx) });
    }),
    answering('test_input_required_result_capabilities', 'Asks only what the client can answer', (ctx) => {
      const declared = envelopeOf(ctx)?.capabilities ?? {};
      return inputRequired({
        inputRequests: {
          ...(declared.sampling === undefined ? {} : { opinion: askModel('What do you think?') }),
          ...(declared.elicitation === undefined ? {} : { user_name: askName('What is your name?') }),
        },
      });
    }),
    // What a client did not declare must not be asked: the SDK answers -32021 for us.
    answering('test_missing_capability', 'Needs sampling', () =>
      inputRequired({ inputRequests: { question: askModel('Can you answer?') } })
    ),
    answering('test_streaming_elicitation', 'Asks for a name on its stream', () =>
      inputRequired({ inputRequests: { user_name: askName('What is your name?') } })
    ),
  ];
}

export function askName(message: string): InputRequest {
  return ask(message, { name: { type: 'string' } });
}

function ask(message: string, properties: Record<string, { type: 'string' } | { type: 'boolean' }>): InputRequest {
  const requestedSchema = { type: 'object' as const, properties, required: Object.keys(properties) };
  return inputRequired.elicit({ message, requestedSchema });
}

function askModel(question: string): InputRequest {
  return inputRequired.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text: question } }],
    maxTokens: 100,
  });
}
