/** Switches the live view on and off; kept in the address. */
import { ToolbarButton } from '@grafana/ui';

interface LiveButtonProps {
  readonly isLive: boolean;
  readonly onChange: (isLive: boolean) => void;
}

export function LiveButton({ isLive, onChange }: LiveButtonProps) {
  return (
    <ToolbarButton
      icon={isLive ? 'pause' : 'play'}
      variant={isLive ? 'active' : 'canvas'}
      aria-pressed={isLive}
      tooltip={isLive ? 'Live: stop' : 'Live: show calls as they come'}
      onClick={() => onChange(!isLive)}
    >
      Live
    </ToolbarButton>
  );
}
