/** A JSON value as tree or as it was sent, with search inside, copy and download. */
import { RadioButtonGroup, Stack } from '@grafana/ui';
import { useEffect, useState } from 'react';
import { FindBar } from './FindBar.tsx';
import type { Json } from './json.ts';
import { childCount } from './json.ts';
import { initialOpen, revealed, type TreeRow, type TreeState } from './json-tree.ts';
import { JsonTree } from './JsonTree.tsx';
import { CopyAndDownload, TextViewer } from './TextViewer.tsx';
import { useJsonSearch } from './useJsonSearch.ts';
import { VIEW_PX } from './view-height.ts';
import { WholeText } from './WholeText.tsx';

interface JsonViewerProps {
  readonly value: unknown;
  /** as it was sent */
  readonly text: string;
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
        <TextViewer text={text} label="Raw" fileName={fileName} />
      )}
    </Stack>
  );
}

interface TreeViewProps {
  readonly value: Json;
  readonly text: string;
  readonly fileName: string;
  readonly redacted: ReadonlySet<string>;
}

function TreeView({ value, text, fileName, redacted }: TreeViewProps) {
  const search = useJsonSearch(value);
  const [state, setState] = useState<TreeState>(() => ({ open: initialOpen(value), shown: new Map() }));
  const [whole, setWhole] = useState<TreeRow>();
  const { steps } = search;
  useEffect(() => {
    if (steps !== undefined) setState((now) => revealed(now, value, steps));
  }, [steps, value]);
  return (
    <>
      <Stack direction="row" gap={1} wrap="wrap" alignItems="center" justifyContent="space-between">
        <FindBar
          text={search.text}
          onText={search.setText}
          count={search.count}
          isCut={search.isCut}
          at={search.at}
          onStep={search.step}
        />
        <CopyAndDownload text={text} fileName={fileName} />
      </Stack>
      <JsonTree
        value={value}
        state={state}
        onState={setState}
        redacted={redacted}
        mark={search.path}
        maxHeightPx={childCount(value) === 0 ? VIEW_PX / 2 : VIEW_PX}
        onShowText={setWhole}
      />
      {whole !== undefined && typeof whole.value === 'string' && (
        <WholeText path={whole.path} text={whole.value} onClose={() => setWhole(undefined)} />
      )}
    </>
  );
}
