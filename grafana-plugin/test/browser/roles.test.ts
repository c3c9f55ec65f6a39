/**
 * Each role in front of each page. A marker stands in what was sent and answered; whoever is no Auditor of that server
 * finds it nowhere: not in the document, not in storage, not in an answer of the network.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withoutChromium } from './chromium.ts';
import type { GrafanaUser } from './grafana-user.ts';
import { World } from './world.ts';

const marker = `marker-${randomBytes(8).toString('hex')}`;
const PAGES = ['audit-logs', 'usage', 'sessions', 'exports', 'access-log'];
const TABS = ['Overview', 'Request', 'Response', 'Headers', 'Session', 'Raw'];

interface Expected {
  readonly login: string;
  /** whose calls stand in the list */
  readonly sees: readonly string[];
  /** servers whose payloads open */
  readonly opens: readonly string[];
}

const EXPECTED: readonly Expected[] = [
  { login: 'ana', sees: ['ana'], opens: [] },
  { login: 'erik', sees: ['erik'], opens: [] },
  { login: 'olga', sees: ['ana', 'erik', 'bob'], opens: [] },
  { login: 'vera', sees: ['ana', 'erik', 'bob'], opens: ['sample', 'memory'] },
  { login: 'marc', sees: ['ana', 'erik', 'bob'], opens: ['sample', 'memory'] },
  { login: 'lin', sees: ['ana', 'erik', 'bob'], opens: ['memory'] },
];

describe.skipIf(withoutChromium())('roles', () => {
  let world: World;

  beforeAll(async () => {
    world = await World.start();
    for (const name of ['ana', 'erik', 'bob']) {
      await world.call(name, 'echo', { text: marker });
      await world.call(name, 'fail', { text: marker });
    }
    await world.call('bob', 'echo', { text: marker }, 'memory');
    await world.settled();
  });
  afterAll(() => world.close());

  describe.each(EXPECTED)('$login', ({ login, sees, opens }) => {
    let user: GrafanaUser;
    beforeAll(async () => {
      user = await world.user(login);
    });

    it('sees the calls of whom the role says, and of nobody else', async () => {
      await user.visit('audit-logs');
      await user.rows.first().waitFor();
      const shown = (await user.page.locator('main').innerText()) + JSON.stringify(await user.answersRead());
      for (const name of ['ana', 'erik', 'bob']) {
        expect(shown.includes(`${name}@example.com`), name).toBe(sees.includes(name) || name === login);
      }
    });

    // before any payload is opened: everything that this person ever read is searched
    it('finds the marker only where it may be', async () => {
      const everywhere: string[] = [];
      const server = opens.length === 1 ? 'sample' : undefined;
      for (const path of PAGES) {
        await user.visit(path);
        everywhere.push(await user.page.content());
      }
      await user.visit(`audit-logs?tool=echo${server === undefined ? '' : `&server=${server}`}`);
      await user.rows.first().click();
      await user.drawer.waitFor();
      for (const tab of TABS) {
        await user.tab(tab);
        everywhere.push(await user.page.content());
      }
      everywhere.push(...(await user.answersRead()), await user.kept());
      const mayOpen = server === undefined ? opens.length > 0 : opens.includes(server);
      expect(everywhere.join('\n').includes(marker)).toBe(mayOpen);
      // and never where it would outlive the page
      expect(await user.kept()).not.toContain(marker);
      expect(user.troubles).toEqual([]);
      expect(user.foreign).toEqual([]);
    });

    it.each(['sample', 'memory'])('opens the payload of %s, or reads why not', async (server) => {
      await user.visit(`audit-logs?tool=echo&server=${server}`);
      if ((await user.rows.count()) === 0) {
        // nothing of theirs on this server
        expect(sees).not.toContain('bob');
        return;
      }
      await user.rows.first().click();
      await user.drawer.waitFor();
      await user.tab('Request');
      if (opens.includes(server)) {
        await user.drawer.getByText(marker).first().waitFor();
        return;
      }
      const said = await user.drawer.getByTestId('closed-payload').innerText();
      expect(said).toContain(opens.length === 0 ? 'Only Auditors can open it' : 'Auditor of other servers');
      expect(said).toContain('Security Audit');
    });
  });

  it('somebody who is not signed in sees no call, and is told to sign in', async () => {
    const anonymous = await world.user('anonymous');
    for (const path of PAGES) {
      await anonymous.visit(path);
      await anonymous.page.getByText('Sign in to Grafana').first().waitFor();
    }
    const answers = (await anonymous.answersRead()).join('\n');
    expect(answers).not.toContain('example.com');
    expect(answers).not.toContain(marker);
  });

  it('a viewer who asks for somebody else’s call by its id reads the same as for one that never was', async () => {
    const olga = await world.user('olga');
    await olga.visit('audit-logs?user=bob%40example.com');
    await olga.rows.first().click();
    await olga.drawer.waitFor();
    const id = olga.search().get('call') ?? '';
    const ana = await world.user('ana');
    const said = [];
    for (const one of [id, '019a0000-0000-7000-8000-000000000000']) {
      await ana.visit(`audit-logs?call=${one}`);
      await ana.drawer.waitFor();
      said.push((await ana.drawer.innerText()).replaceAll(one, ''));
    }
    expect(said[0]).toBe(said[1]);
    expect(said[0]).toContain('could not be read');
  });

  it('a viewer is told on Usage that it is their own, and sees no table of users, nor a cost that nobody configured', async () => {
    const ana = await world.user('ana');
    await ana.visit('usage');
    await ana.page.getByText('This is your own usage.').waitFor();
    expect(await ana.page.getByText('Users and servers').count()).toBe(0);
    await ana.page.getByRole('region', { name: 'Tools, table' }).waitFor();
    await ana.page.getByText('Est. tokens').waitFor();
    expect(await ana.page.getByText('Est. cost').count()).toBe(0);
  });
});
