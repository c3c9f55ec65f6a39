/**
 * Somebody in front of a page: opens, clicks, reads. Keeps everything that came over the network, what the page wrote
 * to its console, and what broke, so that a test can search all of it.
 */
import type { Browser, BrowserContext, Locator, Page, Request } from 'playwright-core';
import { until } from '../../../gateway/test/e2e/until.ts';

/** between an answer and what it makes the page ask next */
const QUIET_MS = 120;
const LOADING = '[role=status][aria-label^=Loading], [role=status][aria-label^=Opening]';
const PLUGIN = 'gatelens-mcpaudit-app';
const HEIGHT = { 1280: 800, 1920: 1080 } as Readonly<Record<number, number>>;

export class GrafanaUser {
  readonly page: Page;
  readonly #context: BrowserContext;
  readonly #base: string;
  /** texts of all answers of the audit API and of Grafana */
  readonly answers: string[] = [];
  /** what must not be: errors of scripts, refused by the content security policy */
  readonly troubles: string[] = [];
  /** addresses outside of the stand-in that the page asked for */
  readonly foreign: string[] = [];
  readonly #pending = new Set<Promise<void>>();
  readonly #running = new Set<Request>();

  constructor(context: BrowserContext, page: Page, base: string) {
    this.#context = context;
    this.#base = base;
    this.page = page;
    page.on('pageerror', (error) => this.troubles.push(error.message));
    page.on('console', (message) => {
      // what was refused with a status is no trouble of the page
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
        this.troubles.push(message.text());
      }
    });
    page.on('request', (request) => {
      // a live view never ends
      if (/\/api\/|\.js|\.svg/.test(request.url()) && !request.url().includes('/tail')) this.#running.add(request);
      const url = request.url();
      if (!url.startsWith(base) && !/^(data|blob|about):/.test(url)) this.foreign.push(url);
    });
    page.on('requestfinished', (request) => this.#running.delete(request));
    page.on('requestfailed', (request) => this.#running.delete(request));
    page.on('response', (response) => {
      if (!response.url().includes('/api/')) return;
      const reading = response
        .text()
        .then((text) => void this.answers.push(text))
        .catch(() => undefined);
      this.#pending.add(reading);
      void reading.finally(() => this.#pending.delete(reading));
    });
  }

  static async open(
    browser: Browser,
    base: string,
    login: string,
    { theme = 'dark', width = 1280 }: { readonly theme?: 'light' | 'dark'; readonly width?: number }
  ): Promise<GrafanaUser> {
    const context = await browser.newContext({
      viewport: { width, height: HEIGHT[width] ?? 900 },
      baseURL: base,
      timezoneId: 'UTC',
      // nothing fades or slides in, so nothing has to be waited for
      reducedMotion: 'reduce',
    });
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: base });
    await context.addCookies([
      { name: 'gatelens_preview_user', value: login, url: base },
      { name: 'gatelens_preview_theme', value: theme, url: base },
    ]);
    const page = await context.newPage();
    // a busy machine takes its time
    page.setDefaultTimeout(20_000);
    page.setDefaultNavigationTimeout(60_000);
    return new GrafanaUser(context, page, base);
  }

  /**
   * Goes there as a click in Grafana's navigation does; the first time the page is loaded.
   * @param path e.g. `audit-logs?server=sample`
   */
  async visit(path: string): Promise<void> {
    await this.#go(`/a/${PLUGIN}/${path}`);
    await this.page.locator('h1').waitFor();
    await this.settled();
  }

  async visitConfiguration(): Promise<void> {
    await this.#go(`/plugins/${PLUGIN}`);
    // its code may come first, then it asks, and only then is everything there
    const again = this.page.getByRole('button', { name: 'Test again' });
    await again.waitFor();
    await this.settled();
    await until(() => again.isEnabled(), 'each link is tested');
  }

  /** Loads the page anew, with nothing in memory: what changed meanwhile is seen. */
  async load(path: string): Promise<void> {
    await this.page.goto(`/a/${PLUGIN}/${path}`);
    await this.settled();
  }

  async #go(address: string): Promise<void> {
    if (!this.page.url().startsWith(this.#base)) {
      await this.page.goto(address);
      return;
    }
    await this.page.evaluate(async (to) => {
      // as when a link is clicked, no field has the keyboard
      if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
      window.history.pushState(null, '', to);
      window.dispatchEvent(new PopStateEvent('popstate'));
      // drawn once, so what it asks for has been asked
      for (let frame = 0; frame < 2; frame++) await new Promise((resolve) => requestAnimationFrame(resolve));
    }, address);
  }

  /** Nothing loads any more: no request for data runs, and no place waits for some. */
  async settled(): Promise<void> {
    await until(
      async () => {
        if (this.#running.size > 0) return false;
        await this.page.waitForTimeout(QUIET_MS);
        return this.#running.size === 0 && (await this.page.locator(LOADING).count()) === 0;
      },
      () =>
        `everything is loaded; it waits for ${[...this.#running].map((one) => one.url()).join(', ') || 'a place in the page'}`
    );
  }

  /** Rows of the audit log that are in the document. */
  get rows(): Locator {
    return this.page.getByTestId('call-table').locator('[role=rowgroup]').nth(1).locator('[role=row]');
  }

  row(text: string): Locator {
    return this.rows.filter({ hasText: text }).first();
  }

  get drawer(): Locator {
    return this.page.getByRole('dialog');
  }

  async tab(name: string): Promise<void> {
    await this.drawer.getByRole('tab', { name, exact: true }).click();
    await this.settled();
  }

  /** One of a group of buttons of which one is pressed. */
  async choose(name: string): Promise<void> {
    await this.drawer.getByRole('radio', { name, exact: true }).check({ force: true });
  }

  /** Parameters of the address. */
  search(): URLSearchParams {
    return new URL(this.page.url()).searchParams;
  }

  async answersRead(): Promise<readonly string[]> {
    await Promise.all(this.#pending);
    return this.answers;
  }

  /** Where a page can keep something. */
  async kept(): Promise<string> {
    const inPage = await this.page.evaluate(async () => {
      const databases = 'databases' in indexedDB ? await indexedDB.databases() : [];
      const caches_ = 'caches' in window ? await caches.keys() : [];
      return JSON.stringify([
        Object.entries(localStorage),
        Object.entries(sessionStorage),
        databases,
        caches_,
        document.cookie,
      ]);
    });
    return inPage + JSON.stringify(await this.#context.storageState());
  }

  close(): Promise<void> {
    return this.#context.close();
  }
}
