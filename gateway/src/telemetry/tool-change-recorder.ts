/**
 * Records of what upstream servers offer: one chained record of kind `catalog` a change, on the chain of the gateway that
 * noticed it. Names of tools are shown as metadata shows them; of their descriptions and schemas it never hears.
 */
import { ROOT_CONTEXT, SpanKind } from '@opentelemetry/api';
import { RECORD_VERSION } from '../record/fields.ts';
import type { ToolChange, ToolChangeRecorder } from '../record/tool-changes.ts';
import type { AttributeObject } from './attribute-row.ts';
import { EpochTime, epochNanos, systemClock, type Clock } from './clock.ts';
import { displayProtocolVersion, displayText } from './display-names.ts';
import { createCallIds } from './ids.ts';
import { CALL_ATTR, TOOL_CHANGE_ATTR } from './record-attributes.ts';
import type { AuditTelemetry } from './sdk.ts';

const MAX_NAMES = 100;
const MAX_PARTS_CHARS = 16_384;

export function createToolChangeRecorder(options: {
  readonly telemetry: AuditTelemetry;
  readonly clock?: Clock;
}): ToolChangeRecorder {
  const { telemetry } = options;
  const clock = options.clock ?? systemClock;
  const time = new EpochTime(clock);
  const changeId = createCallIds(() => clock.wallMs());
  return {
    record: async (change) => {
      const at = time.now();
      const frames = telemetry.collect({ startedAtNs: epochNanos(at), settles: false }, () => {
        const span = telemetry.tracer.startSpan(
          'tools changed',
          { kind: SpanKind.INTERNAL, startTime: at },
          ROOT_CONTEXT
        );
        span.setAttributes(attributesOf(change, changeId()));
        span.end(at);
      });
      await telemetry.spool.append(frames);
    },
  };
}

function attributesOf(change: ToolChange, changeId: string): AttributeObject {
  const attributes: AttributeObject = {
    [CALL_ATTR.recordVersion]: RECORD_VERSION,
    [CALL_ATTR.kind]: 'catalog',
    [CALL_ATTR.callId]: changeId,
    [CALL_ATTR.server]: displayText(change.server),
    [TOOL_CHANGE_ATTR.change]: change.change,
    [TOOL_CHANGE_ATTR.fingerprint]: change.fingerprint,
    [TOOL_CHANGE_ATTR.tools]: change.tools,
  };
  const texts: readonly (readonly [attribute: string, value: string])[] = [
    [TOOL_CHANGE_ATTR.previousFingerprint, change.previousFingerprint],
    [TOOL_CHANGE_ATTR.parts, partsText(change.changed)],
    [CALL_ATTR.clientName, displayText(change.client.name)],
    [CALL_ATTR.clientVersion, displayText(change.client.version)],
    [TOOL_CHANGE_ATTR.protocolVersion, displayProtocolVersion(change.protocolVersion)],
  ];
  for (const [attribute, value] of texts) if (value !== '') attributes[attribute] = value;
  const lists: readonly (readonly [attribute: string, values: readonly string[]])[] = [
    [TOOL_CHANGE_ATTR.added, change.added],
    [TOOL_CHANGE_ATTR.removed, change.removed],
    [TOOL_CHANGE_ATTR.changed, [...change.changed.keys()]],
    [TOOL_CHANGE_ATTR.seenInCalls, change.seenInCalls],
    [TOOL_CHANGE_ATTR.previousCalls, change.previousCalls],
  ];
  for (const [attribute, values] of lists) {
    if (values.length > 0) attributes[attribute] = values.slice(0, MAX_NAMES).map((value) => displayText(value));
  }
  return attributes;
}

/** As JSON; what would be too long is left out as a whole, since a cut JSON is none. */
function partsText(changed: ToolChange['changed']): string {
  if (changed.size === 0) return '';
  const shown = [...changed].slice(0, MAX_NAMES).map(([name, parts]) => [displayText(name), parts]);
  const text = JSON.stringify(Object.fromEntries(shown));
  return text.length <= MAX_PARTS_CHARS ? text : '{}';
}
