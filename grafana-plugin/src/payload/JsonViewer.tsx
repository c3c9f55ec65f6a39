/** A JSON value as tree or as it was sent, with search inside, copy and download. */
import { RadioButtonGroup, Stack } from '@grafana/ui';
import { useCallback, useEffect, useState } from 'react';
import { FindBar } from './FindBar.tsx';
import { Skeleton } from '../states/Skeleton.tsx';
import { childCount, pathOf, type Json } from './json.ts';
import { jsonText } from './json-text.ts';
import { initialOpen, revealed, type TreeRow, type TreeState } from './json-tree.ts';
import { JsonTree } from './JsonTree.tsx';
import { CopyAndDownload, TextViewer } from './TextViewer.tsx';
import { searchJson } from './search-json.ts';
import { Slices } from './slices.ts';
import { usePayloadSearch } from './usePayloadSearch.ts';
import { VIEW_PX } from './view-height.ts';
import { WholeText } from './WholeText.tsx';

interface JsonViewerProps {
  readonly value: unknown;
  /** as it was sent; undefined for a part of something, which is written out anew */
  readonly text?: string;
  readonly fileName: string;
  /** paths of what was redacted */
  readonly redacted?: ReadonlySet<string>;
}

const NOTHING: ReadonlySet<string> = new Set();

export function JsonViewer({ value, text, fileName, redacted = NOTHING }: JsonViewerProps) {
  const [view, setView] = useState<'tree' | 'raw'>('tree');
  return (
    <Stack direction="column" gap={1}>
      <div>
        <RadioButtonGroup
          size="sm"
          aria-label="View"
          options={[
            { label: 'Tree', value: 'tree' as const },
            { label: 'Raw', value: 'raw' as const },
          ]}
          value={view}
          onChange={setView}
        />
      </div>
      {view === 'tree' ? (
        <TreeView value={value as Json} text={text} fileName={fileName} redacted={redacted} />
      ) : (
        <RawView value={value as Json} text={text} fileName={fileName} />
      )}
    </Stack>
  );
}

interface JsonViewProps {
  readonly value: Json;
  readonly text: string | undefined;
  readonly fileName: string;
}

function RawView({ value, text, fileName }: JsonViewProps) {
  const [made, setMade] = useState<string>();
  const isMissing = text === undefined;
  useEffect(() => {
    if (!isMissing) return undefined;
    const abort = new AbortController();
    void jsonText(value, new Slices({ signal: abort.signal })).then(setMade);
    return () => abort.abort();
  }, [value, isMissing]);
  const shown = text ?? made;
  if (shown === undefined) return <Skeleton lines={10} label="Loading the text" />;
  return <TextViewer text={shown} label="Raw" fileName={fileName} />;
}

interface TreeViewProps extends JsonViewProps {
  readonly redacted: ReadonlySet<string>;
}

function TreeView({ value, text, fileName, redacted }: TreeViewProps) {
  const search = usePayloadSearch(
    useCallback((wanted: string, slices: Slices) => searchJson(value, wanted, slices), [value])
  );
  const [state, setState] = useState<TreeState>(() => ({ open: initialOpen(value), shown: new Map() }));
  const [whole, setWhole] = useState<TreeRow>();
  const { current } = search;
  useEffect(() => {
    if (current !== undefined) setState((now) => revealed(now, current));
  }, [current]);
  return (
    <>
      <Stack direction="row" gap={1} wrap="wrap" alignItems="center" justifyContent="space-between">
        <FindBar search={search} />
        <CopyAndDownload text={() => text ?? written(value)} fileName={fileName} />
      </Stack>
      <JsonTree
        value={value}
        state={state}
        onState={setState}
        redacted={redacted}
        mark={current}
        maxHeightPx={childCount(value) === 0 ? VIEW_PX / 2 : VIEW_PX}
        onShowText={setWhole}
      />
      {whole !== undefined && typeof whole.value === 'string' && (
        <WholeText path={pathOf(whole)} text={whole.value} onClose={() => setWhole(undefined)} />
      )}
    </>
  );
}

/** To be copied or saved, which nobody gives up. */
async function written(value: Json): Promise<string> {
  return (await jsonText(value, new Slices({ signal: new AbortController().signal }))) ?? '';
}
