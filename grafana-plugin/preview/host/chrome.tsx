/**
 * What surrounds a page: top bar, navigation, and the line that says this is a stand-in, with the user switcher. Grafana's
 * measures and colours, so that pages are judged as they will look; nothing here is part of the plugin.
 */
import { css, cx } from '@emotion/css';
import type { GrafanaTheme2, IconName } from '@grafana/data';
import { Combobox, Icon, IconButton, useStyles2, useTheme2 } from '@grafana/ui';
import type { ReactNode } from 'react';
import { Link, useLocation } from 'react-router-dom-v5-compat';
import { boot, switchSession } from './boot.ts';

export function Chrome({ children }: { readonly children: ReactNode }) {
  const styles = useStyles2(getStyles);
  return (
    <div className={cx('main-view', styles.app)}>
      <StandInBar />
      <TopBar />
      <div className={styles.below}>
        <Navigation />
        <main className={styles.main} id="pageContent">
          {children}
        </main>
      </div>
    </div>
  );
}

function StandInBar() {
  const styles = useStyles2(getStyles);
  const { people } = boot.standIn;
  const options = [
    ...people.map(({ login, name, about }) => ({ value: login, label: name, description: about })),
    { value: 'anonymous', label: 'Anonymous', description: 'Not signed in' },
  ];
  return (
    <aside className={styles.standIn} aria-label="Stand-in for Grafana">
      <Icon name="info-circle" />
      <span className={styles.standInText}>
        A stand-in for Grafana, for preview and tests. The plugin and its access rules are real; signing in is not.
      </span>
      <label htmlFor="stand-in-user">Signed in as</label>
      <Combobox
        id="stand-in-user"
        width={30}
        options={options}
        value={boot.user.login === '' ? 'anonymous' : boot.user.login}
        onChange={({ value }) => void switchSession({ login: value })}
      />
    </aside>
  );
}

function TopBar() {
  const styles = useStyles2(getStyles);
  const theme = useTheme2();
  const { pathname } = useLocation();
  const { plugin } = boot.standIn;
  const current = boot.navTree.find(({ url }) => pathname.startsWith(url));
  return (
    <header className={styles.topBar}>
      <img src={`public/plugins/${plugin.id}/${plugin.logo}`} alt="" className={styles.logo} />
      <nav aria-label="Breadcrumbs" className={styles.breadcrumbs}>
        <Link to="/">{plugin.name}</Link>
        {current !== undefined && (
          <>
            <Icon name="angle-right" />
            <span>{current.text}</span>
          </>
        )}
      </nav>
      <IconButton
        name="adjust-circle"
        aria-label={theme.isDark ? 'Use the light theme' : 'Use the dark theme'}
        onClick={() => void switchSession({ theme: theme.isDark ? 'light' : 'dark' })}
      />
    </header>
  );
}

function Navigation() {
  const styles = useStyles2(getStyles);
  const { pathname } = useLocation();
  return (
    <nav className={styles.nav} aria-label="Navigation">
      <div className={styles.navTitle}>{boot.standIn.plugin.name}</div>
      <ul className={styles.navList}>
        {boot.navTree.map(({ text, url, icon }) => (
          <li key={url}>
            <Link
              to={url}
              className={cx(styles.navLink, pathname.startsWith(url) && styles.navActive)}
              aria-current={pathname.startsWith(url) ? 'page' : undefined}
            >
              {icon !== undefined && <Icon name={icon as IconName} />}
              {text}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  app: css({
    display: 'flex',
    flexDirection: 'column',
    minHeight: '100vh',
    background: theme.colors.background.canvas,
  }),
  standIn: css({
    display: 'flex',
    alignItems: 'center',
    gap: theme.spacing(1),
    padding: theme.spacing(0.5, 2),
    color: theme.colors.text.primary,
    background: theme.colors.info.transparent,
    borderBottom: `1px solid ${theme.colors.border.weak}`,
    '& label': { whiteSpace: 'nowrap' },
  }),
  standInText: css({ flex: 1 }),
  topBar: css({
    display: 'flex',
    alignItems: 'center',
    gap: theme.spacing(1.5),
    height: theme.spacing(6),
    padding: theme.spacing(0, 2),
    background: theme.colors.background.primary,
    borderBottom: `1px solid ${theme.colors.border.weak}`,
  }),
  logo: css({ width: theme.spacing(3), height: theme.spacing(3) }),
  breadcrumbs: css({
    display: 'flex',
    flex: 1,
    alignItems: 'center',
    gap: theme.spacing(0.5),
    fontSize: theme.typography.bodySmall.fontSize,
  }),
  below: css({ display: 'flex', flex: 1, minWidth: 0 }),
  nav: css({
    width: theme.spacing(27),
    flexShrink: 0,
    padding: theme.spacing(2, 1),
    background: theme.colors.background.primary,
    borderRight: `1px solid ${theme.colors.border.weak}`,
  }),
  navTitle: css({ padding: theme.spacing(0, 1, 1), fontWeight: theme.typography.fontWeightMedium }),
  navList: css({ listStyle: 'none' }),
  navLink: css({
    display: 'flex',
    alignItems: 'center',
    gap: theme.spacing(1),
    padding: theme.spacing(0.75, 1),
    borderRadius: theme.shape.radius.default,
    color: theme.colors.text.secondary,
    '&:hover': { color: theme.colors.text.primary, background: theme.colors.action.hover },
  }),
  navActive: css({ color: theme.colors.text.primary, background: theme.colors.action.selected }),
  main: css({ display: 'flex', flexDirection: 'column', flex: 1, minWidth: 0 }),
});
