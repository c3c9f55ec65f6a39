/**
 * Everything about one call, beside the list. Has a link of its own. The payload is asked for only when a tab shows it,
 * since each opening is recorded.
 */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { Drawer, Icon, IconButton, Stack, Tab, TabsBar, useStyles2 } from '@grafana/ui';
import type { Call } from '../data/contract.ts';
import { useCall, useCallPayload } from '../data/useCall.ts';
import { OutcomeMark } from '../format/OutcomeMark.tsx';
import { outcomeOf } from '../format/outcomes.ts';
import { callerName, callTitle } from '../format/people.ts';
import { formatAgo, formatFull } from '../format/times.ts';
import { visibleText } from '../format/visible-text.ts';
import { FailureState } from '../states/FailureState.tsx';
import { Skeleton } from '../states/Skeleton.tsx';
import type { ChangeFilters } from '../url/useCallFilters.ts';
import { CallOverview } from './CallOverview.tsx';
import { HeadersTab } from './HeadersTab.tsx';
import { PayloadTab } from './PayloadTab.tsx';
import { RawTab } from './RawTab.tsx';
import { SessionTab } from './SessionTab.tsx';
import { DRAWER_TABS, TAB_LABEL, useDrawerTab, type DrawerTab } from './useDrawerTab.ts';

export interface CallDrawerProps {
  readonly id: string;
  /** as the list has it: shown until the details are there */
  readonly known: Call | undefined;
  readonly timeZone: string;
  readonly onFilter: ChangeFilters;
  readonly onOpen: (call: Call) => void;
  readonly onMove?: ((by: number) => void) | undefined;
  readonly onClose: () => void;
}

export function CallDrawer(props: CallDrawerProps) {
  const { id, known, timeZone, onMove, onClose } = props;
  const [tab, setTab] = useDrawerTab();
  const details = useCall(id);
  const call = details.data ?? known;
  return (
    <Drawer
      size="md"
      title={call === undefined ? 'Call' : visibleText(callTitle(call))}
      subtitle={call === undefined ? undefined : <Subtitle call={call} timeZone={timeZone} onMove={onMove} />}
      tabs={
        <TabsBar>
          {DRAWER_TABS.map((key) => (
            <Tab key={key} label={TAB_LABEL[key]} active={key === tab} onChangeTab={() => setTab(key)} />
          ))}
        </TabsBar>
      }
      onClose={onClose}
    >
      {details.error !== null ? (
        <FailureState
          title="This call could not be read"
          error={details.error}
          onRetry={() => void details.refetch()}
        />
      ) : call === undefined || details.data === undefined ? (
        <Skeleton lines={10} />
      ) : (
        <DrawerContent {...props} tab={tab} call={details.data} />
      )}
    </Drawer>
  );
}

interface DrawerContentProps extends CallDrawerProps {
  readonly tab: DrawerTab;
  readonly call: NonNullable<ReturnType<typeof useCall>['data']>;
}

function DrawerContent({ tab, call, timeZone, onFilter, onOpen }: DrawerContentProps) {
  // asks for nothing, but keeps what a tab has opened while this call is shown: coming back is no second opening
  useCallPayload(call.id, false);
  switch (tab) {
    case 'overview':
      return <CallOverview call={call} timeZone={timeZone} onFilter={onFilter} />;
    case 'request':
    case 'response':
      return <PayloadTab key={`${call.id} ${tab}`} call={call} direction={tab} />;
    case 'headers':
      return <HeadersTab call={call} />;
    case 'session':
      return <SessionTab call={call} timeZone={timeZone} onOpen={onOpen} />;
    case 'raw':
      return <RawTab call={call} />;
  }
}

interface SubtitleProps {
  readonly call: Call;
  readonly timeZone: string;
  readonly onMove: ((by: number) => void) | undefined;
}

function Subtitle({ call, timeZone, onMove }: SubtitleProps) {
  const styles = useStyles2(getStyles);
  return (
    <div className={styles.subtitle}>
      <OutcomeMark outcome={outcomeOf(call)} />
      <span>
        {formatFull(call.startedAt, timeZone)} ({formatAgo(call.startedAt, timeZone)})
      </span>
      <span>
        <Icon name="user" size="sm" /> {callerName(call)}
      </span>
      <span>
        <Icon name="cube" size="sm" /> {call.server}
      </span>
      {onMove !== undefined && (
        <span className={styles.moves}>
          <Stack direction="row" gap={0.5}>
            <IconButton name="arrow-up" tooltip="Previous call (k)" onClick={() => onMove(-1)} />
            <IconButton name="arrow-down" tooltip="Next call (j)" onClick={() => onMove(1)} />
          </Stack>
        </span>
      )}
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  subtitle: css({ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: theme.spacing(0.5, 2) }),
  moves: css({ marginLeft: 'auto' }),
});
