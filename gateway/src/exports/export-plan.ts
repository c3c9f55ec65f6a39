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
import type { FileForm } from './formats.ts';

export interface ExportPlan extends ExportRows, FileForm {
  readonly visibility: Visibility;
  /** in the order of the file */
  readonly columns: readonly string[];
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

/** What opening needs of a call. */
export type CallToOpen = Pick<
  CallRow,
  'call_id' | 'started_ns' | 'server' | 'payload_state' | 'request_sha256' | 'response_sha256'
>;

export interface ExportSource {
  /** the store with its limits */
  readonly reader: StoreReader;
  readonly streams: StoreStreams;
  /** Opens the parts of one call in memory. */
  readonly open: (
    call: CallToOpen,
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
