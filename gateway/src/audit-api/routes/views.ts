/** `/views`: saved views, each only for who made it. */
import type { Context } from 'hono';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { ApiError } from '../api-error.ts';
import type { SavedView } from '../contract.ts';
import { addViewRoute, changeViewRoute, removeViewRoute, viewsRoute } from '../contract.ts';
import type { ApiEnv, RouteDeps } from '../deps.ts';
import type { SavedViewRow } from '../state/saved-views.ts';

export function registerViews(api: OpenAPIHono<ApiEnv>, deps: RouteDeps): void {
  const now = (): string => new Date(deps.clock.wallMs()).toISOString();

  api.openapi(viewsRoute, (c) => c.json({ items: deps.views.list(ownerOf(c)).map(viewOf) }, 200));

  api.openapi(addViewRoute, (c) => {
    const view = deps.views.add(ownerOf(c), c.req.valid('json'), now());
    if (view === undefined) throw new ApiError('conflict', 'You have 200 saved views. Remove one, then save this one.');
    return c.json(viewOf(view), 201);
  });

  api.openapi(changeViewRoute, (c) => {
    const view = deps.views.change(ownerOf(c), c.req.valid('param').id, c.req.valid('json'), now());
    if (view === undefined) throw viewNotFound();
    return c.json(viewOf(view), 200);
  });

  api.openapi(removeViewRoute, (c) => {
    if (!deps.views.remove(ownerOf(c), c.req.valid('param').id)) throw viewNotFound();
    return c.body(null, 204);
  });
}

function ownerOf(c: Context<ApiEnv>): string {
  const { kind, name, subject } = c.get('caller');
  return subject ?? `${kind}:${name}`;
}

function viewNotFound(): ApiError {
  return new ApiError('not_found', 'You have no such view. /api/v1/views lists yours.');
}

/** The page is one of the closed set: nothing else is taken in. */
function viewOf(row: SavedViewRow): SavedView {
  return { ...row, page: row.page as SavedView['page'] };
}
