/** Sends a file as it is made. One that breaks off ends the connection, so that no client takes it for a whole one. */
import type { ExportPlan } from '../../exports/export-plan.ts';
import { contentTypeOf } from '../../exports/formats.ts';

export function fileResponse(
  plan: Pick<ExportPlan, 'format' | 'compression'>,
  bytes: AsyncIterable<Buffer>,
  headers: { readonly fileName: string; readonly runId: string }
): Response {
  const pieces = bytes[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { value, done } = await pieces.next();
          if (done === true) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          controller.error(error);
        }
      },
      async cancel() {
        await pieces.return?.();
      },
    },
    { highWaterMark: 2 }
  );
  return new Response(body, {
    status: 200,
    headers: {
      'Content-Type': contentTypeOf(plan),
      'Content-Disposition': `attachment; filename="${headers.fileName}"`,
      'X-Gatelens-Export': headers.runId,
    },
  });
}
