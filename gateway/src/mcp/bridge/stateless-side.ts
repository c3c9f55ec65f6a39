/** The seam between a bridge and who answers the requests without sessions (2026-07-28) of its server. */
import type { Exchange } from '../exchange.ts';
import type { Acceptable } from './stdio-accept.ts';
import type { Failure } from './stdio-failure.ts';

export interface StatelessSide {
  readonly pids: readonly number[];
  /** @param owner whose request it is */
  post(exchange: Exchange, accepts: Acceptable, owner: string): Promise<void>;
  endIfIdle(): void;
  end(failure: Failure): Promise<void>;
  killNow(): void;
}
