/** Columns for a terminal; a column without any content is left out. */
export function textTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const kept = head.map((_, column) => rows.some((row) => (row[column] ?? '') !== ''));
  const shown = [head, ...rows].map((row) => row.filter((_, column) => kept[column] === true));
  const widths = (shown[0] ?? []).map((_, column) => Math.max(...shown.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  return shown.map((row) => `${line(row).trimEnd()}\n`).join('');
}
