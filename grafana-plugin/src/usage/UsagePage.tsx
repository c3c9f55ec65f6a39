/** Usage: how much, by whom, on which server and tool, how fast, how often it failed. Each figure leads to its calls. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { PluginPage } from '@grafana/runtime';
import { useStyles2 } from '@grafana/ui';
import { PageToolbar } from '../app/PageToolbar.tsx';
import { useMe } from '../data/useMe.ts';
import { useUsageSummary } from '../data/useUsage.ts';
import { FailureState } from '../states/FailureState.tsx';
import { NothingVisible } from '../states/NothingVisible.tsx';
import { OwnOnlyNotice } from '../states/OwnOnlyNotice.tsx';
import { SavedViews } from '../views/SavedViews.tsx';
import { CallsPanel } from './CallsPanel.tsx';
import { ClientsPanel } from './ClientsPanel.tsx';
import { ConcurrencyPanel } from './ConcurrencyPanel.tsx';
import { DurationPanel } from './DurationPanel.tsx';
import { NoUsage } from './NoUsage.tsx';
import { ServersPanel } from './ServersPanel.tsx';
import { Tiles } from './Tiles.tsx';
import { ToolsPanel } from './ToolsPanel.tsx';
import { UnusedPanel } from './UnusedPanel.tsx';
import { UsageControls } from './UsageControls.tsx';
import { UsersPanel } from './UsersPanel.tsx';
import { useUsageState, type UsageState } from './useUsageState.ts';

export default function UsagePage() {
  const me = useMe();
  const state = useUsageState(me.data);
  const summary = useUsageSummary(state.compared);
  const { time } = state;
  const isOwn = me.data?.visibility.usage === 'own';
  return (
    <PluginPage
      actions={
        <>
          <SavedViews page="usage" />
          <PageToolbar time={time} isLoading={summary.isFetching} onRefresh={time.refresh} />
        </>
      }
      subTitle={isOwn ? <OwnOnlyNotice what="This is your own usage." /> : undefined}
    >
      {me.error !== null ? (
        <FailureState title="Usage could not be read" error={me.error} onRetry={() => void me.refetch()} />
      ) : me.data?.visibility.usage === 'none' ? (
        <NothingVisible me={me.data} />
      ) : (
        <>
          <UsageControls state={state} me={me.data} />
          {summary.data?.totals.calls === 0 ? (
            <NoUsage state={state} />
          ) : (
            <UsageContent state={state} summary={summary} isOwn={isOwn} />
          )}
        </>
      )}
    </PluginPage>
  );
}

interface UsageContentProps {
  readonly state: UsageState;
  readonly summary: ReturnType<typeof useUsageSummary>;
  readonly isOwn: boolean;
}

function UsageContent({ state, summary, isOwn }: UsageContentProps) {
  const styles = useStyles2(getStyles);
  return (
    <div className={styles.grid}>
      <div className={styles.whole}>
        <Tiles summary={summary} linkTo={state.linkTo} isOwn={isOwn} />
      </div>
      <CallsPanel state={state} />
      <DurationPanel state={state} />
      <div className={styles.wide}>
        <ServersPanel state={state} />
      </div>
      <div className={styles.wide}>
        <ToolsPanel state={state} />
      </div>
      {!isOwn && !state.isOnlyMe && (
        <div className={styles.whole}>
          <UsersPanel state={state} />
        </div>
      )}
      <ClientsPanel state={state} />
      <UnusedPanel state={state} />
      <div className={styles.whole}>
        <ConcurrencyPanel state={state} />
      </div>
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  grid: css({
    display: 'grid',
    gridTemplateColumns: 'repeat(2, minmax(0, 1fr))',
    gap: theme.spacing(1),
    marginTop: theme.spacing(1),
    [theme.breakpoints.down('lg')]: { gridTemplateColumns: 'minmax(0, 1fr)' },
  }),
  whole: css({ gridColumn: '1 / -1' }),
  // many columns: two of them side by side need a large screen
  wide: css({
    display: 'grid',
    gridTemplateColumns: 'minmax(0, 1fr)',
    minWidth: 0,
    [theme.breakpoints.down('xxl')]: { gridColumn: '1 / -1' },
  }),
});
