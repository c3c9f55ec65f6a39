/** A part of the Configuration page. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import type { ReactNode } from 'react';

interface SectionProps {
  readonly title: string;
  readonly about?: ReactNode;
  readonly children: ReactNode;
}

export function Section({ title, about, children }: SectionProps) {
  const styles = useStyles2(getStyles);
  return (
    <section className={styles.section} aria-label={title}>
      <h2 className={styles.title}>{title}</h2>
      {about !== undefined && <p className={styles.about}>{about}</p>}
      {children}
    </section>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  section: css({ maxWidth: theme.spacing(110), marginBottom: theme.spacing(4) }),
  title: css({ margin: theme.spacing(0, 0, 0.5), fontSize: theme.typography.h4.fontSize }),
  about: css({ margin: theme.spacing(0, 0, 1.5), color: theme.colors.text.secondary }),
});
