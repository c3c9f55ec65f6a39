/** Saved views of a page: opens one, keeps the present one under a name, removes one. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { Button, Icon, IconButton, Input, TextLink, Toggletip, ToolbarButton, useStyles2 } from '@grafana/ui';
import { useState } from 'react';
import { pagePath } from '../constants.ts';
import { toApiFailure } from '../data/api-failure.ts';
import type { SavedView } from '../data/contract.ts';
import { useAddView, useRemoveView, useViews } from '../data/useViews.ts';
import { useSearch } from '../url/useSearch.ts';

interface SavedViewsProps {
  readonly page: SavedView['page'];
}

/** Of one call, not of a view. */
const LEFT_OUT = ['call', 'tab'];

export function SavedViews({ page }: SavedViewsProps) {
  return (
    <Toggletip content={<ViewList page={page} />} placement="bottom-end" closeButton={false}>
      <ToolbarButton icon="bookmark" variant="canvas" tooltip="Saved views" aria-label="Saved views" />
    </Toggletip>
  );
}

function ViewList({ page }: SavedViewsProps) {
  const styles = useStyles2(getStyles);
  const [search] = useSearch();
  const [name, setName] = useState('');
  const views = useViews();
  const add = useAddView();
  const remove = useRemoveView();
  const query = new URLSearchParams(search);
  for (const one of LEFT_OUT) query.delete(one);
  const failure = views.error ?? add.error ?? remove.error;
  const own = views.data?.items.filter((view) => view.page === page) ?? [];
  return (
    <div className={styles.list}>
      {own.length === 0 && <p className={styles.quiet}>No view is saved for this page yet.</p>}
      <ul className={styles.views}>
        {own.map((view) => (
          <li key={view.id} className={styles.view}>
            <TextLink href={`${pagePath(view.page)}?${view.query}`} inline={false}>
              {view.name}
            </TextLink>
            <IconButton
              name="trash-alt"
              size="sm"
              aria-label={`Remove the view ${view.name}`}
              onClick={() => remove.mutate(view.id)}
            />
          </li>
        ))}
      </ul>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          add.mutate({ name: name.trim(), page, query: query.toString() }, { onSuccess: () => setName('') });
        }}
      >
        <Input
          width={24}
          value={name}
          maxLength={100}
          aria-label="Name of the view"
          placeholder="Name of this view"
          prefix={<Icon name="bookmark" />}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Button type="submit" disabled={name.trim() === '' || add.isPending}>
          Save
        </Button>
      </form>
      {failure !== null && <p role="alert">{toApiFailure(failure).message}</p>}
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  list: css({ minWidth: theme.spacing(36) }),
  quiet: css({ color: theme.colors.text.secondary }),
  views: css({ listStyle: 'none', margin: theme.spacing(0, 0, 1) }),
  view: css({
    display: 'flex',
    alignItems: 'center',
    justifyContent: 'space-between',
    gap: theme.spacing(1),
    minHeight: theme.spacing(4),
  }),
  form: css({ display: 'flex', gap: theme.spacing(1) }),
});
