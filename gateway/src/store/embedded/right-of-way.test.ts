import { expect, test } from 'vitest';
import { RightOfWay } from './right-of-way.ts';

const HOURS_MS = 3_600_000;

test('a long read waits until the last urgent one is over, and not longer than it is polite', async () => {
  const way = new RightOfWay();
  await way.clear(HOURS_MS);
  const [first, second] = [way.urgent(), way.urgent()];
  const order: string[] = [];
  const waited = way.clear(HOURS_MS).then(() => order.push('read'));
  first();
  first();
  await Promise.resolve();
  order.push('one left');
  second();
  await waited;
  expect(order).toEqual(['one left', 'read']);
  way.urgent();
  await way.clear(1);
});
