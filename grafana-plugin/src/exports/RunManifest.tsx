/** The signed manifest of a run: files with their checksums, and the command that checks them anywhere. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import { useExportManifest } from '../data/useExportSchedules.ts';
import { amountText, verifyCommand } from './export-words.ts';
import { CopyCommand } from './CopyCommand.tsx';
import { FailureState } from '../states/FailureState.tsx';
import { Skeleton } from '../states/Skeleton.tsx';
import { plural } from '../format/numbers.ts';
import { visibleText } from '../format/visible-text.ts';

interface RunManifestProps {
  readonly runId: string;
  readonly manifestName: string;
}

export function RunManifest({ runId, manifestName }: RunManifestProps) {
  const styles = useStyles2(getStyles);
  const manifest = useExportManifest(runId);
  if (manifest.error !== null) return <FailureState title="The manifest could not be read" error={manifest.error} />;
  if (manifest.data === undefined) return <Skeleton lines={3} />;
  const { parts, chains, signature } = manifest.data;
  return (
    <div className={styles.manifest} data-testid="run-manifest">
      <p>
        {visibleText(manifestName)}: {plural(parts.length, 'file')}, {amountText(manifest.data)}, of{' '}
        {plural(chains.length, 'hash chain')}; signed by the key {signature.keyId}.
      </p>
      <ul>
        {parts.map((part) => (
          <li key={part.name}>
            {visibleText(part.name)}: {amountText(part)}, SHA-256 <code>{part.sha256}</code>
          </li>
        ))}
      </ul>
      <p>
        To check it where the files are, with the key that <code>gatelens keyring signing-key</code> prints:
      </p>
      <CopyCommand command={verifyCommand(manifestName)} what="the command that verifies this export" />
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  manifest: css({
    padding: theme.spacing(1),
    '& ul': { margin: theme.spacing(1, 2) },
    '& code': { overflowWrap: 'anywhere' },
  }),
});
