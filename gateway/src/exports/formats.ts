/**
 * The forms a file can have. Knows nothing of rows, and imports nothing: the contract has it, and with that the pages.
 */
export const EXPORT_FORMATS = ['jsonl', 'csv', 'parquet'] as const;
export const EXPORT_COMPRESSIONS = ['none', 'gzip', 'zstd'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];
export type ExportCompression = (typeof EXPORT_COMPRESSIONS)[number];

export interface FileForm {
  readonly format: ExportFormat;
  readonly compression: ExportCompression;
}

/** A file of Parquet has its foot in memory until its end, so it has so many rows at most. */
export const PARQUET_ROWS = 500_000;

const EXTENSION: Readonly<Record<ExportCompression, string>> = { none: '', gzip: '.gz', zstd: '.zst' };

export function extensionOf({ format, compression }: FileForm): string {
  return `${format}${EXTENSION[compression]}`;
}

const CONTENT_TYPE: Readonly<Record<ExportFormat, string>> = {
  jsonl: 'application/x-ndjson; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
};

export function contentTypeOf({ format, compression }: FileForm): string {
  if (compression === 'gzip') return 'application/gzip';
  return compression === 'zstd' ? 'application/zstd' : CONTENT_TYPE[format];
}
