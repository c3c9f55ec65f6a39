/** The boot data that the server put into the page, and what is the stand-in's own in it. */

export interface NavItem {
  readonly text: string;
  readonly url: string;
  readonly icon?: string;
  readonly isDefault: boolean;
}

interface BootData {
  readonly user: { readonly login: string; readonly name: string; readonly orgRole: string; readonly theme: string };
  readonly navTree: readonly NavItem[];
  readonly standIn: {
    readonly plugin: { readonly id: string; readonly name: string; readonly version: string; readonly logo: string };
    readonly people: readonly { readonly login: string; readonly name: string; readonly about: string }[];
  };
}

export const boot = (window as unknown as { grafanaBootData: BootData }).grafanaBootData;

/** Signs somebody else in, or changes the theme, and loads the page again as Grafana does. */
export async function switchSession(change: { login?: string; theme?: 'light' | 'dark' }): Promise<void> {
  await fetch('/stand-in/session', { method: 'POST', body: JSON.stringify(change) });
  window.location.reload();
}
