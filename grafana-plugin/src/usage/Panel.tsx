/** The frame around a chart or a table, as a panel on a dashboard: title, tools, content. */
import { css, cx } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import type { ReactNode } from 'react';
import { FailureState } from '../states/FailureState.tsx';
import { Skeleton } from '../states/Skeleton.tsx';

interface PanelProps<T> {
  readonly title: string;
  readonly tools?: ReactNode;
  /** as TanStack Query gives it */
  readonly query: { readonly data: T | undefined; readonly error: Error | null; refetch(): unknown };
  /** in theme spacing units: what it takes while loading and at least */
  readonly height: number;
  readonly className?: string;
  readonly children: (data: T) => ReactNode;
}

export function Panel<T>({ title, tools, query, height, className, children }: PanelProps<T>) {
  const styles = useStyles2(getStyles, height);
  return (
    <section className={cx(styles.panel, className)} aria-label={title}>
      <header className={styles.header}>
        <h2 className={styles.title}>{title}</h2>
        {tools}
      </header>
      <div className={styles.content}>
        {query.error !== null ? (
          <FailureState title={`${title} could not be read`} error={query.error} onRetry={() => query.refetch()} />
        ) : query.data === undefined ? (
          <Skeleton lines={Math.max(1, Math.floor(height / 4))} label={`Loading ${title}`} />
        ) : (
          children(query.data)
        )}
      </div>
    </section>
  );
}

const getStyles = (theme: GrafanaTheme2, height: number) => ({
  panel: css({
    display: 'flex',
    flexDirection: 'column',
    minWidth: 0,
    background: theme.colors.background.primary,
    border: `1px solid ${theme.colors.border.weak}`,
    borderRadius: theme.shape.radius.default,
  }),
  header: css({
    display: 'flex',
    flexWrap: 'wrap',
    alignItems: 'center',
    justifyContent: 'space-between',
    gap: theme.spacing(1),
    minHeight: theme.spacing(theme.components.panel.headerHeight),
    padding: theme.spacing(0.5, 1, 0, 1.5),
  }),
  title: css({
    margin: 0,
    fontSize: theme.typography.h6.fontSize,
    fontWeight: theme.typography.fontWeightMedium,
    lineHeight: theme.typography.h6.lineHeight,
  }),
  content: css({ flex: 1, minHeight: theme.spacing(height), padding: theme.spacing(0.5, 1, 1) }),
});
