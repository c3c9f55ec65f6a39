/**
 * The one place that loads the native engine. `chdb` is an optional dependency of several hundred megabytes with builds
 * for glibc Linux and macOS only, so it is required lazily and its absence is an answer (`engine_missing`), not a crash.
 * The addon itself is used instead of chdb's Session class: connections are throw-away here and inserts must take any
 * format as bytes, which the class does not allow.
 */
import { createRequire } from 'node:module';
import { GatelensError } from '../../errors.ts';

export interface NativeConnection {
  readonly __nativeConnection: unique symbol;
}

export interface NativeStream {
  readonly __nativeStream: unique symbol;
}

export interface NativeResult {
  readonly bytes?: Uint8Array;
  readonly elapsed: number;
  readonly rowsRead?: number;
  readonly bytesRead?: number;
  readonly rowsWritten?: number;
  readonly bytesWritten?: number;
}

export interface NativeChunk {
  readonly done: boolean;
  readonly bytes?: Uint8Array;
  readonly numRows: number;
}

/** The functions of the addon in use. `Async` ones run on the libuv pool, the others on the calling thread. */
export interface NativeEngine {
  CreateConnection(path: string, args?: readonly string[]): NativeConnection;
  CloseConnection(connection: NativeConnection): void;
  QueryAsyncConnection(connection: NativeConnection, sql: string, format: string): Promise<NativeResult>;
  InsertRawAsyncConnection(
    connection: NativeConnection,
    prefix: string,
    data: Uint8Array,
    countLines: boolean
  ): Promise<NativeResult>;
  StreamQuery(connection: NativeConnection, sql: string, format: string): NativeStream;
  StreamFetch(stream: NativeStream): Promise<NativeChunk>;
  StreamCancel(stream: NativeStream): void;
}

const PLATFORM_PACKAGES: Readonly<Record<string, string>> = {
  'darwin-arm64': '@chdb/lib-darwin-arm64',
  'darwin-x64': '@chdb/lib-darwin-x64',
  'linux-x64': '@chdb/lib-linux-x64-gnu',
  'linux-arm64': '@chdb/lib-linux-arm64-gnu',
};

const HINT =
  'Set `store.url` to a ClickHouse server, or install the optional dependency `chdb` (glibc Linux or macOS).';

/** Finds the addon without loading it. @throws GatelensError `engine_missing` */
export function locateAddon(platform: string = process.platform, arch: string = process.arch): string {
  const packageName = PLATFORM_PACKAGES[`${platform}-${arch}`];
  if (packageName === undefined) {
    throw new GatelensError('engine_missing', `The embedded store has no build for ${platform}-${arch}. ${HINT}`);
  }
  try {
    const chdb = createRequire(import.meta.url).resolve('chdb/package.json');
    // the platform package is a dependency of chdb, not of this package
    return createRequire(chdb).resolve(packageName);
  } catch (cause) {
    throw new GatelensError('engine_missing', `The embedded store's engine is not installed. ${HINT}`, { cause });
  }
}

/** @throws GatelensError `engine_missing` */
export function loadAddon(): NativeEngine {
  const path = locateAddon();
  try {
    return createRequire(import.meta.url)(path) as NativeEngine;
  } catch (cause) {
    throw new GatelensError('engine_missing', `The embedded store's engine does not load here (musl libc?). ${HINT}`, {
      cause,
    });
  }
}
