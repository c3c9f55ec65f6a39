/** A text, or bytes as a dump, with search, copy and download. */
import { Button, Stack } from '@grafana/ui';
import { useCallback } from 'react';
import { copyText } from '../filters/copy-text.ts';
import { download } from './download.ts';
import { FindBar } from './FindBar.tsx';
import { findInText, wantedBytes } from './find-in-text.ts';
import { hexRows } from './hex-rows.ts';
import { bytesOf } from './payload-body.ts';
import type { Slices } from './slices.ts';
import { usePayloadSearch } from './usePayloadSearch.ts';
import { VirtualText } from './VirtualText.tsx';
import { VIEW_PX } from './view-height.ts';

interface TextViewerProps {
  readonly text: string;
  readonly label: string;
  readonly fileName: string;
  /** the text has a character for each byte of something that is no text */
  readonly isBytes?: boolean;
}

export function TextViewer({ text, label, fileName, isBytes = false }: TextViewerProps) {
  const search = usePayloadSearch(
    useCallback(
      (wanted: string, slices: Slices) => findInText(text, isBytes ? wantedBytes(wanted) : wanted, slices, { isBytes }),
      [text, isBytes]
    )
  );
  return (
    <Stack direction="column" gap={1}>
      <Stack direction="row" gap={1} wrap="wrap" alignItems="center" justifyContent="space-between">
        <FindBar search={search} />
        <CopyAndDownload text={() => text} bytes={isBytes ? () => bytesOf(text) : undefined} fileName={fileName} />
      </Stack>
      <VirtualText
        text={text}
        label={label}
        maxHeightPx={VIEW_PX}
        markAt={search.current?.at}
        {...(isBytes ? { toRows: hexRows } : {})}
      />
    </Stack>
  );
}

interface CopyAndDownloadProps {
  /** made when it is asked for; undefined when that was given up */
  readonly text: () => string | Promise<string>;
  /** what is saved, where it is no text */
  readonly bytes?: (() => Uint8Array) | undefined;
  readonly fileName: string;
}

export function CopyAndDownload({ text, bytes, fileName }: CopyAndDownloadProps) {
  return (
    <Stack direction="row" gap={1}>
      {bytes === undefined && (
        <Button size="sm" variant="secondary" icon="copy" onClick={() => void Promise.resolve(text()).then(copyText)}>
          Copy
        </Button>
      )}
      <Button
        size="sm"
        variant="secondary"
        icon="download-alt"
        onClick={() => void Promise.resolve(bytes?.() ?? text()).then((content) => download(fileName, content))}
      >
        Download
      </Button>
    </Stack>
  );
}
