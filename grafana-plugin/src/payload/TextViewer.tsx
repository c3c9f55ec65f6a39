/** A text with search, copy and download. */
import { Button, Stack } from '@grafana/ui';
import { useDeferredValue, useMemo, useState } from 'react';
import { copyText } from '../filters/copy-text.ts';
import { download } from './download.ts';
import { FindBar } from './FindBar.tsx';
import { findInText } from './text-lines.ts';
import { VirtualText } from './VirtualText.tsx';
import { VIEW_PX } from './view-height.ts';

interface TextViewerProps {
  readonly text: string;
  readonly label: string;
  readonly fileName: string;
  /** what is saved and copied, where it is not the text */
  readonly bytes?: Uint8Array;
}

const MAX_FINDS = 1000;

export function TextViewer({ text, label, fileName, bytes }: TextViewerProps) {
  const [wanted, setWanted] = useState('');
  const [at, setAt] = useState(0);
  const searched = useDeferredValue(wanted);
  const found = useMemo(() => findInText(text, searched, MAX_FINDS), [text, searched]);
  const mark = found[at];
  return (
    <Stack direction="column" gap={1}>
      <Stack direction="row" gap={1} wrap="wrap" alignItems="center" justifyContent="space-between">
        <FindBar
          text={wanted}
          onText={(next) => {
            setWanted(next);
            setAt(0);
          }}
          count={found.length}
          isCut={found.length === MAX_FINDS}
          at={at}
          onStep={(by) => setAt((now) => (found.length === 0 ? 0 : (now + by + found.length) % found.length))}
        />
        <CopyAndDownload text={text} fileName={fileName} bytes={bytes} />
      </Stack>
      <VirtualText
        text={text}
        label={label}
        maxHeightPx={VIEW_PX}
        mark={mark === undefined ? undefined : { at: mark, length: searched.length }}
      />
    </Stack>
  );
}

interface CopyAndDownloadProps {
  readonly text: string;
  readonly fileName: string;
  readonly bytes?: Uint8Array | undefined;
}

export function CopyAndDownload({ text, fileName, bytes }: CopyAndDownloadProps) {
  return (
    <Stack direction="row" gap={1}>
      <Button size="sm" variant="secondary" icon="copy" onClick={() => void copyText(text)}>
        Copy
      </Button>
      <Button size="sm" variant="secondary" icon="download-alt" onClick={() => download(fileName, bytes ?? text)}>
        Download
      </Button>
    </Stack>
  );
}
