/** The other calls of the same session, in the same list form; this one is marked. */
import { css, cx } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { LinkButton, Stack, useStyles2 } from '@grafana/ui';
import { PAGES, pagePath } from '../constants.ts';
import type { Call, CallDetail } from '../data/contract.ts';
import { useCalls } from '../data/useCalls.ts';
import { OutcomeMark } from '../format/OutcomeMark.tsx';
import { formatDuration } from '../format/numbers.ts';
import { outcomeOf } from '../format/outcomes.ts';
import { callTitle } from '../format/people.ts';
import { formatRowTime } from '../format/times.ts';
import { FailureState } from '../states/FailureState.tsx';
import { Skeleton } from '../states/Skeleton.tsx';

interface SessionTabProps {
  readonly call: CallDetail;
  readonly timeZone: string;
  readonly onOpen: (call: Call) => void;
}

export function SessionTab({ call, timeZone, onOpen }: SessionTabProps) {
  const styles = useStyles2(getStyles);
  const { key } = call.session;
  const calls = useCalls({ session: key ?? '', demo: call.demo }, key !== null);
  if (key === null) return <p>This call belongs to no session.</p>;
  if (calls.error !== null) {
    return (
      <FailureState title="The session could not be read" error={calls.error} onRetry={() => void calls.refetch()} />
    );
  }
  if (calls.data === undefined) return <Skeleton lines={8} />;
  return (
    <Stack direction="column" gap={1}>
      <div>
        <LinkButton
          size="sm"
          variant="secondary"
          icon="sitemap"
          href={`${pagePath(PAGES.sessions)}/${encodeURIComponent(key)}${call.demo ? '?demo=true' : ''}`}
        >
          Open the session
        </LinkButton>
      </div>
      <ul className={styles.list}>
        {calls.data.pages
          .flatMap(({ items }) => items)
          .map((one) => (
            <li key={one.id}>
              <button
                type="button"
                className={cx(styles.item, one.id === call.id && styles.current)}
                aria-current={one.id === call.id}
                onClick={() => onOpen(one)}
              >
                <span>{formatRowTime(one.startedAt, timeZone, 0)}</span>
                <span className={styles.title}>{callTitle(one)}</span>
                <OutcomeMark outcome={outcomeOf(one)} />
                <span className={styles.duration}>{formatDuration(one.durationMs)}</span>
              </button>
            </li>
          ))}
      </ul>
    </Stack>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  list: css({ listStyle: 'none' }),
  item: css({
    display: 'grid',
    gridTemplateColumns: `${theme.spacing(13)} 1fr ${theme.spacing(17)} ${theme.spacing(11)}`,
    alignItems: 'center',
    gap: theme.spacing(1),
    width: '100%',
    height: theme.spacing(4),
    padding: theme.spacing(0, 1),
    background: 'none',
    border: 'none',
    borderBottom: `1px solid ${theme.colors.border.weak}`,
    fontSize: theme.typography.bodySmall.fontSize,
    textAlign: 'left',
    '&:hover': { background: theme.colors.background.secondary },
  }),
  current: css({ background: theme.colors.action.selected }),
  title: css({ overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' }),
  duration: css({ textAlign: 'right', fontVariantNumeric: 'tabular-nums' }),
});
