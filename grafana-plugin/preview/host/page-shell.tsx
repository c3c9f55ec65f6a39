/** `PluginPage` of the stand-in: title, subtitle, actions and content where Grafana's page has them. */
import { css } from '@emotion/css';
import { PageLayoutType, type GrafanaTheme2 } from '@grafana/data';
import type { PluginPageProps } from '@grafana/runtime';
import { useStyles2 } from '@grafana/ui';
import { useLocation } from 'react-router-dom-v5-compat';
import { boot } from './boot.ts';

export function PageShell({ actions, children, layout, pageNav, renderTitle, subTitle }: PluginPageProps) {
  const styles = useStyles2(getStyles);
  const { pathname } = useLocation();
  if (layout === PageLayoutType.Custom) return <div className={styles.custom}>{children}</div>;
  const title = pageNav?.text ?? boot.navTree.find(({ url }) => pathname.startsWith(url))?.text ?? '';
  return (
    <div className={styles.page}>
      <div className={styles.header}>
        <div className={styles.heading}>{renderTitle === undefined ? <h1>{title}</h1> : renderTitle(title)}</div>
        {actions}
      </div>
      {subTitle !== undefined && <div className={styles.subTitle}>{subTitle}</div>}
      {children}
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  page: css({ display: 'flex', flexDirection: 'column', flexGrow: 1, padding: theme.spacing(2) }),
  custom: css({ display: 'flex', flexDirection: 'column', flexGrow: 1 }),
  header: css({
    display: 'flex',
    flexWrap: 'wrap',
    alignItems: 'flex-start',
    justifyContent: 'space-between',
    gap: theme.spacing(1, 2),
    marginBottom: theme.spacing(1),
    minHeight: theme.spacing(4),
  }),
  heading: css({ display: 'flex', flex: '1 1 auto', '& h1': { margin: 0 } }),
  subTitle: css({ color: theme.colors.text.secondary, marginBottom: theme.spacing(2) }),
});
