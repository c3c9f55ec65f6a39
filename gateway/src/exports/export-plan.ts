/**
 * One file that is to be made: whose eyes, which rows, in what form; and what it costs to make. Decides nothing about
 * rights; the visibility in it was made where roles are known.
 */
import type { CallRow } from '../store/queries/call-row.ts';
import type { ExportRows } from '../store/queries/export-rows.ts';
import type { DataKeyRow, SealedRowOfCall } from '../store/queries/payload.ts';
import type { StoreReader } from '../store/queries/reader.ts';
import type { StoreStreams } from '../store/queries/row-stream.ts';
import type { Visibility } from '../store/queries/visibility.ts';

export type ExportFormat = 'jsonl' | 'csv' | 'parquet';
export type ExportCompression = 'none' | 'gzip' | 'zstd';

export interface ExportPlan extends ExportRows {
  readonly visibility: Visibility;
  /** in the order of the file */
  readonly columns: readonly string[];
  readonly format: ExportFormat;
  readonly compression: ExportCompression;
  /** opened in flight; never with Parquet */
  readonly payloads: boolean;
}

/** One direction of a payload as it goes into a file; `body` is there where it could be opened. */
export interface OpenedPart {
  readonly state: string;
  readonly headers?: readonly (readonly [string, string])[] | undefined;
  readonly bodyText?: string | undefined;
  readonly bodyBase64?: string | undefined;
}

export interface OpenedCall {
  readonly request: OpenedPart;
  readonly response: OpenedPart;
}

export interface ExportSource {
  /** the store with its limits */
  readonly reader: StoreReader;
  readonly streams: StoreStreams;
  /** Opens the parts of one call in memory. */
  readonly open: (
    call: CallRow,
    sealed: { readonly rows: readonly SealedRowOfCall[]; readonly keys: ReadonlyMap<string, DataKeyRow> }
  ) => Promise<OpenedCall>;
  /** Why a payload is not to be opened for this visibility; undefined: it is. */
  readonly hidden: (visibility: Visibility, server: string, payloadState: string) => string | undefined;
  /** now, ns since 1970 */
  readonly nowNs: () => bigint;
}

/** How far a file is. */
export interface ExportProgress {
  rows: number;
  /** after compression and encryption */
  bytes: number;
  /** payload bytes opened */
  payloadBytes: number;
}

/** A file of Parquet has its foot in memory until its end, so it has so many rows at most. */
export const PARQUET_ROWS = 500_000;

const EXTENSION: Readonly<Record<ExportCompression, string>> = { none: '', gzip: '.gz', zstd: '.zst' };

export function extensionOf({ format, compression }: Pick<ExportPlan, 'format' | 'compression'>): string {
  return `${format}${EXTENSION[compression]}`;
}

const CONTENT_TYPE: Readonly<Record<ExportFormat, string>> = {
  jsonl: 'application/x-ndjson; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
};

export function contentTypeOf({ format, compression }: Pick<ExportPlan, 'format' | 'compression'>): string {
  if (compression === 'gzip') return 'application/gzip';
  return compression === 'zstd' ? 'application/zstd' : CONTENT_TYPE[format];
}
