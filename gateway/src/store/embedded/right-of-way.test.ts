import { expect, test } from 'vitest';
import { RightOfWay } from './right-of-way.ts';

const HOURS_MS = 3_600_000;

test('a long read waits until the last urgent one is over', async () => {
  const way = new RightOfWay(0);
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
});

test('it waits for the next question of a page too, but not longer than it is polite', async () => {
  const way = new RightOfWay(20);
  const order: string[] = [];
  const first = way.urgent();
  const waited = way.clear(HOURS_MS).then(() => order.push('read'));
  first();
  const next = way.urgent();
  await way.clear(1);
  order.push('polite for long enough');
  next();
  await waited;
  expect(order).toEqual(['polite for long enough', 'read']);
});
