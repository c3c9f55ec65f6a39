/** A command for a shell, and a button that copies it. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { Button, useStyles2 } from '@grafana/ui';
import { useState } from 'react';
import { copyText } from '../filters/copy-text.ts';

interface CopyCommandProps {
  readonly command: string;
  /** e.g. `the command` */
  readonly what: string;
}

export function CopyCommand({ command, what }: CopyCommandProps) {
  const styles = useStyles2(getStyles);
  const [said, setSaid] = useState('Copy');
  return (
    <div className={styles.frame}>
      <code className={styles.command}>{command}</code>
      <Button
        size="sm"
        variant="secondary"
        icon="copy"
        aria-label={`Copy ${what}`}
        onClick={() => void copyText(command).then((copied) => setSaid(copied ? 'Copied' : 'Select it by hand'))}
      >
        {said}
      </Button>
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  frame: css({ display: 'flex', alignItems: 'flex-start', gap: theme.spacing(1) }),
  command: css({
    flex: 1,
    padding: theme.spacing(1),
    background: theme.colors.background.secondary,
    borderRadius: theme.shape.radius.default,
    color: theme.colors.text.primary,
    textAlign: 'left',
    overflowWrap: 'anywhere',
    whiteSpace: 'pre-wrap',
  }),
});
