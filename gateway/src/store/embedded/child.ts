/**
 * Main program of the store process: the engine, its ClickHouse HTTP endpoint and the OTLP receivers. Started by
 * embedded/supervisor.ts with an IPC channel; ends when that channel closes, so it never outlives the gateway. Says
 * nothing on stdout; engine messages on stderr are read by the supervisor only while it starts.
 */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GatelensError, isGatelensError } from '../../errors.ts';
import type { LogFields, Logger } from '../../logger.ts';
import { createOtlpReceiver } from '../otlp-receiver.ts';
import { createOtlpWriter } from '../otlp-writer.ts';
import { loadAddon } from './addon.ts';
import type { ChildMessage, ParentMessage, StartMessage } from './child-messages.ts';
import { createEndpoint } from './endpoint.ts';
import { Engine } from './engine.ts';

const HOST = '127.0.0.1';
/** requests that are running when the store is told to stop get so long */
const STOP_AFTER_MS = 5_000;

function send(message: ChildMessage): void {
  if (process.connected) process.send?.(message);
}

const logger: Logger = {
  info: (event: string, fields: LogFields = {}) => send({ type: 'log', level: 'info', event, fields }),
  warn: (event: string, fields: LogFields = {}) => send({ type: 'log', level: 'warn', event, fields }),
  error: (event: string, fields: LogFields = {}) => send({ type: 'log', level: 'error', event, fields }),
};

/** @throws GatelensError `data_dir_unusable` when the port is taken */
function listen(server: Server, port: number, what: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const problem = `Port ${port} of 127.0.0.1 (${what}) cannot be used (${cause.code ?? 'unknown error'}).`;
      reject(new GatelensError('config_invalid', `${problem} Free it or configure another one.`, { cause }));
    });
    server.listen(port, HOST, () => resolve((server.address() as AddressInfo).port));
  });
}

async function start(message: StartMessage): Promise<() => Promise<void>> {
  const { secrets, ports } = message;
  const engine = new Engine(loadAddon(), { dataDir: message.dataDir, memoryBytes: message.memoryBytes });
  const version = await engine.ready();
  const queryMemoryBytes = Math.floor(message.memoryBytes * 0.6);
  const endpoint = createEndpoint({ engine, passwords: secrets.passwords, logger, queryMemoryBytes });
  const store = await listen(endpoint, ports.store, 'store');
  const url = `http://${HOST}:${store}`;
  const metadataWriter = createOtlpWriter({
    url,
    username: 'gatelens_ingest',
    password: secrets.passwords.gatelens_ingest,
  });
  const payloadWriter = createOtlpWriter({
    url,
    username: 'gatelens_payload_ingest',
    password: secrets.passwords.gatelens_payload_ingest,
  });
  const metadata = createOtlpReceiver({
    signal: 'traces',
    token: secrets.metadataToken,
    writer: metadataWriter,
    logger,
  });
  const payloads = createOtlpReceiver({ signal: 'logs', token: secrets.payloadsToken, writer: payloadWriter, logger });
  send({
    type: 'ready',
    version,
    ports: {
      store,
      metadata: await listen(metadata, ports.metadata, 'OTLP metadata'),
      payloads: await listen(payloads, ports.payloads, 'OTLP payloads'),
    },
  });
  return async () => {
    const closed = [metadata, payloads, endpoint].map(
      (server) =>
        new Promise<void>((done) => {
          server.close(() => done());
          server.closeIdleConnections();
        })
    );
    await Promise.all([...closed, metadataWriter.close(), payloadWriter.close()]);
    await engine.close();
  };
}

let stop: (() => Promise<void>) | undefined;

async function end(): Promise<void> {
  setTimeout(() => process.exit(0), STOP_AFTER_MS).unref();
  await stop?.().catch(() => undefined);
  process.exit(0);
}

process.on('message', (message: ParentMessage) => {
  if (message.type === 'stop') {
    void end();
    return;
  }
  if (message.type === 'ping') {
    send({ type: 'pong' });
    return;
  }
  start(message).then(
    (stopFunction) => {
      stop = stopFunction;
    },
    (cause: unknown) => {
      const known = isGatelensError(cause);
      send({
        type: 'failed',
        code: known ? cause.code : 'internal',
        message: known ? cause.message : 'The store process failed while starting.',
      });
    }
  );
});
// the gateway is gone, even by kill -9
process.on('disconnect', () => void end());
// the terminal's Ctrl-C reaches the whole group; the gateway decides when the store ends
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => void end());
