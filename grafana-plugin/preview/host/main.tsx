/**
 * Start of the stand-in's page: sets what Grafana sets in its packages at start, shares them with the plugin, renders.
 * The order matters: shared modules are copies, so everything is set before they are shared.
 */
import { createTheme, ThemeContext } from '@grafana/data';
import { locationService, setBackendSrv } from '@grafana/runtime';
import { GlobalStyles, PortalContainer } from '@grafana/ui';
import { initializeI18n } from 'grafana-internal/i18n';
import { setPluginPage } from 'grafana-internal/plugin-page';
import { createRoot } from 'react-dom/client';
import { Router } from 'react-router-dom';
import { CompatRouter } from 'react-router-dom-v5-compat';
import { backendSrv } from './backend-srv.ts';
import { boot } from './boot.ts';
import { Chrome } from './chrome.tsx';
import { PageShell } from './page-shell.tsx';
import { PluginRoot } from './plugin-root.tsx';
import { shareModules } from './shared-modules.ts';

async function start(): Promise<void> {
  await initializeI18n({ language: 'en-US', ns: ['grafana'] });
  setBackendSrv(backendSrv);
  setPluginPage(PageShell);
  shareModules();
  const theme = createTheme({ colors: { mode: boot.user.theme === 'light' ? 'light' : 'dark' } });
  const root = document.getElementById('reactRoot');
  if (root === null) return;
  createRoot(root).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <Router history={locationService.getHistory() as unknown}>
        <CompatRouter>
          <Chrome>
            <PluginRoot />
          </Chrome>
          <PortalContainer />
        </CompatRouter>
      </Router>
    </ThemeContext.Provider>
  );
}

void start();
