/** HTTP headers of both directions, in the order they came; redacted ones are marked. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { Badge, useStyles2 } from '@grafana/ui';
import type { CallDetail, PayloadPart } from '../data/contract.ts';
import { visibleText } from '../format/visible-text.ts';
import { PartState } from './PartState.tsx';
import { PayloadGate } from './PayloadGate.tsx';

export function HeadersTab({ call }: { readonly call: CallDetail }) {
  return (
    <PayloadGate call={call}>
      {({ request, response }) => (
        <>
          <HeaderTable title="Request headers" part={request} />
          <HeaderTable title="Response headers" part={response} />
        </>
      )}
    </PayloadGate>
  );
}

function HeaderTable({ title, part }: { readonly title: string; readonly part: PayloadPart }) {
  const styles = useStyles2(getStyles);
  if (part.state !== 'opened') return <PartState state={part.state} />;
  const { headers = [], redacted = [] } = part;
  return (
    <section className={styles.section}>
      <h3 className={styles.title}>{title}</h3>
      {headers.length === 0 ? (
        <p>None were kept: this transport has no headers.</p>
      ) : (
        <table className={styles.table}>
          <tbody>
            {headers.map(([name, value], index) => (
              <tr key={index}>
                <th scope="row">{visibleText(name)}</th>
                <td>
                  {visibleText(value)}{' '}
                  {redacted.includes(`header:${name.toLowerCase()}`) && (
                    <Badge text="redacted" color="orange" icon="eye-slash" />
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  section: css({ marginBottom: theme.spacing(3) }),
  title: css({ margin: theme.spacing(0, 0, 1), fontSize: theme.typography.h5.fontSize }),
  table: css({
    width: '100%',
    fontFamily: theme.typography.fontFamilyMonospace,
    fontSize: theme.typography.bodySmall.fontSize,
    '& th, & td': {
      padding: theme.spacing(0.5, 1),
      borderBottom: `1px solid ${theme.colors.border.weak}`,
      textAlign: 'left',
      verticalAlign: 'top',
      overflowWrap: 'anywhere',
    },
    '& th': { width: theme.spacing(32), color: theme.colors.text.secondary, fontWeight: 'inherit' },
  }),
});
