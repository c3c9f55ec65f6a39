/**
 * What the gateway and its store process say to each other over the IPC channel. Passwords and tokens travel here, never
 * in arguments or the environment, where every process of the machine could read them.
 */
import type { ErrorCode } from '../../errors.ts';
import type { StoreUser } from './permissions.ts';

export interface StorePorts {
  /** ClickHouse HTTP */
  readonly store: number;
  /** OTLP/HTTP for spans */
  readonly metadata: number;
  /** OTLP/HTTP for protected events */
  readonly payloads: number;
}

export interface StoreSecrets {
  readonly passwords: Readonly<Record<StoreUser, string>>;
  readonly metadataToken: string;
  readonly payloadsToken: string;
}

export interface StartMessage {
  readonly type: 'start';
  readonly dataDir: string;
  readonly memoryBytes: number;
  readonly ports: StorePorts;
  readonly secrets: StoreSecrets;
}

export type ParentMessage = StartMessage | { readonly type: 'stop' } | { readonly type: 'ping' };

export type ChildMessage =
  | { readonly type: 'ready'; readonly ports: StorePorts; readonly version: string }
  | { readonly type: 'pong' }
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly message: string }
  | {
      readonly type: 'log';
      readonly level: 'info' | 'warn' | 'error';
      readonly event: string;
      readonly fields: Readonly<Record<string, string | number | boolean>>;
    };
