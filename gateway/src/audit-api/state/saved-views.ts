/** Saved views: a name for a page with its filters. Each belongs to who made it; nobody else sees or changes it. */
import { randomUUID } from 'node:crypto';
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';

/** Of one owner. */
const MOST_VIEWS = 200;

export interface SavedViewRow {
  readonly id: string;
  readonly name: string;
  readonly page: string;
  /** as in the address of the page, without `?` */
  readonly query: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export type NewView = Pick<SavedViewRow, 'name' | 'page' | 'query'>;

export interface SavedViews {
  /** by name */
  list(owner: string): SavedViewRow[];
  /** @returns undefined when the owner has too many */
  add(owner: string, view: NewView, at: string): SavedViewRow | undefined;
  /** @returns undefined when the owner has no such view */
  change(owner: string, id: string, view: NewView, at: string): SavedViewRow | undefined;
  /** @returns whether the owner had it */
  remove(owner: string, id: string): boolean;
}

const COLUMNS = 'id, name, page, query, created_at, updated_at';

export function createSavedViews(state: DatabaseSync): SavedViews {
  const all = state.prepare(`SELECT ${COLUMNS} FROM views WHERE owner = ? ORDER BY name, created_at, id`);
  const count = state.prepare('SELECT count(*) AS n FROM views WHERE owner = ?');
  const one = state.prepare(`SELECT ${COLUMNS} FROM views WHERE owner = ? AND id = ?`);
  const insert = state.prepare(
    'INSERT INTO views (id, owner, name, page, query, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)'
  );
  const update = state.prepare(
    'UPDATE views SET name = ?, page = ?, query = ?, updated_at = ? WHERE owner = ? AND id = ?'
  );
  const remove = state.prepare('DELETE FROM views WHERE owner = ? AND id = ?');
  const find = (owner: string, id: string): SavedViewRow | undefined => {
    const row = one.get(owner, id);
    return row === undefined ? undefined : viewOf(row);
  };
  return {
    list: (owner) => all.all(owner).map(viewOf),
    add: (owner, { name, page, query }, at) => {
      if (Number(count.get(owner)?.n) >= MOST_VIEWS) return undefined;
      const id = randomUUID();
      insert.run(id, owner, name, page, query, at, at);
      return find(owner, id);
    },
    change: (owner, id, { name, page, query }, at) => {
      update.run(name, page, query, at, owner, id);
      return find(owner, id);
    },
    remove: (owner, id) => Number(remove.run(owner, id).changes) > 0,
  };
}

function viewOf(row: Record<string, SQLOutputValue>): SavedViewRow {
  return {
    id: String(row.id),
    name: String(row.name),
    page: String(row.page),
    query: String(row.query),
    createdAt: String(row.created_at),
    updatedAt: String(row.updated_at),
  };
}
