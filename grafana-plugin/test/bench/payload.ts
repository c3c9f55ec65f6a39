/** How long the page stands still while an Auditor works in a payload of five megabytes, step by step. */
import { longest, tasksOf } from './main-thread.ts';
import { World } from '../browser/world.ts';

/** about 5 MB as JSON */
const ROWS = 70_000;
const SCROLLS = 100;

export interface PayloadFigure {
  readonly step: string;
  readonly wallMs: number;
  readonly cpuMs: number;
}

export async function measurePayload(): Promise<readonly PayloadFigure[]> {
  const world = await World.start();
  try {
    await world.call('ana', 'big', { rows: ROWS });
    await world.settled();
    const vera = await world.user('vera');
    vera.page.setDefaultTimeout(60_000);
    await vera.visit('audit-logs?tool=big');
    await vera.rows.first().click();
    await vera.drawer.waitFor();
    await vera.tab('Overview');
    const search = vera.drawer.getByLabel('Search in the payload');
    const raw = vera.drawer.getByRole('region', { name: 'Raw' });
    const steps: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['opened', () => vera.tab('Response')],
      ['as a tree', () => vera.choose('Whole message').then(() => vera.drawer.getByRole('tree').first().waitFor())],
      ['searched in the tree', () => search.fill(`row number ${ROWS - 1}`).then(found)],
      ['as raw text', () => vera.choose('Raw').then(() => raw.waitFor())],
      ['searched in the raw text', () => search.fill(`ROW NUMBER ${ROWS - 1}`).then(found)],
      ['scrolled through', () => raw.evaluate(scrollThrough, SCROLLS)],
    ];
    const figures: PayloadFigure[] = [];
    for (const [step, work] of steps) {
      const tasks = await tasksOf(world.browser, vera.page, async () => {
        await work();
      });
      figures.push({ step, wallMs: longest(tasks, 'wallMs'), cpuMs: longest(tasks, 'cpuMs') });
    }
    return figures;

    function found(): Promise<void> {
      return vera.drawer.getByText('1 of 1').first().waitFor();
    }
  } finally {
    await world.close();
  }
}

/** From top to bottom, a part each frame. */
async function scrollThrough(element: Element, scrolls: number): Promise<void> {
  for (let part = 0; part <= scrolls; part++) {
    element.scrollTop = (element.scrollHeight * part) / scrolls;
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
}
