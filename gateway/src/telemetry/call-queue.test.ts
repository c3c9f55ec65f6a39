import { describe, expect, it } from 'vitest';
import { CallQueue, type Gathering, type QueuedCall, type Timers } from './call-queue.ts';

/** Time that a test turns; `soon` runs when it is told to. */
class HandTimers implements Timers {
  now = 1000;
  #soon: (() => void)[] = [];
  #timers: { readonly dueMs: number; readonly run: () => void }[] = [];

  nowMs(): number {
    return this.now;
  }

  soon(run: () => void): void {
    this.#soon.push(run);
  }

  after(delayMs: number, run: () => void): { cancel(): void } {
    const timer = { dueMs: this.now + delayMs, run };
    this.#timers.push(timer);
    return { cancel: () => (this.#timers = this.#timers.filter((one) => one !== timer)) };
  }

  turn(): void {
    for (const run of this.#soon.splice(0)) run();
  }

  /** Runs what falls due, at its time. */
  pass(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      const [next] = this.#timers.sort((a, b) => a.dueMs - b.dueMs);
      if (next === undefined || next.dueMs > until) break;
      this.#timers.shift();
      this.now = next.dueMs;
      next.run();
    }
    this.now = until;
  }
}

const GATHERING: Gathering = { intentMs: 5, completionMs: 10 };

function queueOf(gathering: Gathering | undefined = GATHERING) {
  const timers = new HandTimers();
  const written: string[] = [];
  const disk: PromiseWithResolvers<undefined>[] = [];
  const queue = new CallQueue(gathering, timers);
  const call = (name: string): QueuedCall & { end(isAwaited?: boolean): void } => {
    let isOver = false;
    const write = (what: string): Promise<undefined> => {
      written.push(`${what} ${name}`);
      const one = Promise.withResolvers<undefined>();
      disk.push(one);
      return one.promise;
    };
    const made = {
      writeIntent: () => (isOver ? undefined : write('intent')),
      writeCompletion: () => write('completion'),
      end: (isAwaited = true) => {
        isOver = true;
        queue.ended(made, isAwaited);
      },
    };
    queue.begun(made);
    return made;
  };
  /** The disk has written all it was given. */
  const synced = async (): Promise<void> => {
    for (const one of disk.splice(0)) one.resolve(undefined);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { queue, timers, call, written, synced };
}

describe('without gathering', () => {
  it('everything is written at once', () => {
    const timers = new HandTimers();
    const queue = new CallQueue(undefined, timers);
    const written: string[] = [];
    const call = {
      writeIntent: () => void written.push('intent'),
      writeCompletion: () => void written.push('completion'),
    };
    queue.begun(call);
    expect(written).toEqual(['intent']);
    queue.ended(call, false);
    expect(written).toEqual(['intent', 'completion']);
  });
});

describe('an intent', () => {
  it('is written when its call still runs after a while', () => {
    const { timers, call, written } = queueOf();
    call('slow');
    timers.pass(4.9);
    expect(written).toEqual([]);
    timers.pass(0.1);
    expect(written).toEqual(['intent slow']);
  });

  it('is never written for a call that ends sooner', () => {
    const { timers, call, written } = queueOf();
    const quick = call('quick');
    timers.pass(3);
    call('slow');
    quick.end();
    timers.turn();
    timers.pass(100);
    expect(written).toEqual(['completion quick', 'intent slow']);
  });

  it('is written in the next turn when a reply waits for it alone', () => {
    const { queue, timers, call, written } = queueOf();
    const one = call('one');
    call('other');
    queue.hurry(one);
    expect(written).toEqual([]);
    timers.turn();
    expect(written).toEqual(['intent one']);
  });

  it('goes with completions only once it is due', async () => {
    const { timers, call, written, synced } = queueOf();
    const [first, second, third] = ['first', 'second', 'third'].map((name) => {
      timers.pass(2);
      return call(name);
    });
    timers.pass(1);
    // the timer of the first wrote its intent meanwhile
    expect(written).toEqual(['intent first']);
    await synced();
    third?.end();
    timers.turn();
    expect(written).toEqual(['intent first', 'completion third']);
    await synced();
    timers.pass(1);
    expect(written).toEqual(['intent first', 'completion third']);
    timers.pass(1);
    expect(written).toEqual(['intent first', 'completion third', 'intent second']);
    first?.end();
    second?.end();
  });
});

describe('completions', () => {
  it('that replies wait for are written together in the next turn', () => {
    const { timers, call, written } = queueOf();
    const calls = ['a', 'b', 'c'].map(call);
    for (const one of calls) one.end();
    expect(written).toEqual([]);
    timers.turn();
    expect(written).toEqual(['completion a', 'completion b', 'completion c']);
  });

  it('gather while a group is written, and follow when it is', async () => {
    const { timers, call, written, synced } = queueOf();
    const calls = ['a', 'b', 'c'].map(call);
    calls[0]?.end();
    timers.turn();
    calls[1]?.end();
    timers.turn();
    calls[2]?.end();
    timers.turn();
    expect(written).toEqual(['completion a']);
    await synced();
    timers.turn();
    expect(written).toEqual(['completion a', 'completion b', 'completion c']);
  });

  it('do not wait for the disk once they are many', () => {
    const { timers, call, written } = queueOf();
    call('first').end();
    timers.turn();
    for (let n = 0; n < 40; n += 1) call(`n${n}`).end();
    timers.turn();
    expect(written).toHaveLength(33);
    timers.turn();
    expect(written).toHaveLength(33);
  });

  it('that no reply waits for are written after a while, all of them', () => {
    const { timers, call, written } = queueOf({ intentMs: 50, completionMs: 10 });
    call('a').end(false);
    timers.pass(4);
    call('b').end(false);
    timers.pass(5.9);
    expect(written).toEqual([]);
    timers.pass(0.1);
    expect(written).toEqual(['completion a', 'completion b']);
  });

  it('that no reply waits for are made sooner when they are many, and none is left behind', async () => {
    const { timers, call, written, synced } = queueOf({ intentMs: 50, completionMs: 10 });
    for (let n = 0; n < 33; n += 1) call(`n${n}`).end(false);
    timers.turn();
    expect(written).toHaveLength(32);
    await synced();
    timers.turn();
    expect(written).toHaveLength(33);
  });

  it('are all written by flush, and so are the intents of calls that still run', () => {
    const { queue, call, written } = queueOf();
    for (let n = 0; n < 70; n += 1) call(`n${n}`).end(false);
    call('open');
    queue.flush();
    expect(written).toHaveLength(71);
    expect(written).toContain('intent open');
  });
});
