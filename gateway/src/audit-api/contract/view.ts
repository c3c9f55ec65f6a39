/** Saved views as JSON. Part of the contract. A view is an address: which page, with which filters. */
import { z } from '@hono/zod-openapi';

const PAGES = ['audit-logs', 'usage', 'sessions', 'access-log'] as const;

const content = {
  name: z.string().trim().min(1, 'give a name').max(100, 'give at most 100 characters'),
  page: z.enum(PAGES, `use one of ${PAGES.join(', ')}`),
  query: z
    .string()
    .max(4096, 'give at most 4096 characters')
    .regex(/^[^\s?#]*$/, 'give what stands after the `?` of the address')
    .openapi({ description: 'what stands after the `?` in the address of the page' }),
};

export const SavedViewBody = z.strictObject(content).openapi('SavedViewBody');

export const SavedView = z
  .object({
    id: z.string(),
    name: z.string(),
    page: z.enum(PAGES),
    query: z.string(),
    createdAt: z.string(),
    updatedAt: z.string(),
  })
  .openapi('SavedView');
export type SavedView = z.infer<typeof SavedView>;

export const SavedViewList = z.object({ items: z.array(SavedView) }).openapi('SavedViewList');
export type SavedViewList = z.infer<typeof SavedViewList>;

export const SavedViewId = z.strictObject({
  id: z.string().openapi({ param: { name: 'id', in: 'path' }, description: 'id of the view' }),
});
