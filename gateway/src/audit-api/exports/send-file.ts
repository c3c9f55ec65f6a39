/** The answer that is a file, sent as it is made. */
import type { ExportPlan } from '../../exports/export-plan.ts';
import { contentTypeOf } from '../../exports/formats.ts';
import type { StartedExport } from './exports.ts';
import { FileBody } from './file-body.ts';

/** Has the id of the run, and tells files from other answers. */
export const FILE_HEADER = 'X-Gatelens-Export';

export function fileResponse(
  plan: Pick<ExportPlan, 'format' | 'compression'>,
  { bytes, ended, runId }: StartedExport,
  fileName: string
): Response {
  return new Response(new FileBody(bytes, ended), {
    status: 200,
    headers: {
      'Content-Type': contentTypeOf(plan),
      'Content-Disposition': `attachment; filename="${fileName}"`,
      [FILE_HEADER]: runId,
    },
  });
}
