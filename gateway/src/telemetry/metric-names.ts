/**
 * Keeps names that somebody else chose from making metrics without end: each value is a series of its own in memory, in
 * every scrape and in whatever keeps them. Of each server the first so many values of a name are told apart, the others
 * are one, `_OTHER`. Only metrics: the record has every name as it was.
 */
import { CALL_ATTR } from './record-attributes.ts';
import {
  ATTR_ERROR_TYPE,
  ATTR_GEN_AI_PROMPT_NAME,
  ATTR_GEN_AI_TOOL_NAME,
  ATTR_MCP_PROTOCOL_VERSION,
  ATTR_RPC_RESPONSE_STATUS_CODE,
  ERROR_TYPE_OTHER,
} from './semconv.ts';

/** Values of each that one server may have. */
const AT_MOST: Readonly<Record<string, number>> = {
  [ATTR_GEN_AI_TOOL_NAME]: 200,
  [ATTR_GEN_AI_PROMPT_NAME]: 100,
  [ATTR_MCP_PROTOCOL_VERSION]: 8,
  [ATTR_ERROR_TYPE]: 50,
  [ATTR_RPC_RESPONSE_STATUS_CODE]: 50,
};
const NAMES = Object.entries(AT_MOST);

type Attributes = Readonly<Record<string, string | number>>;

/** @returns attributes for a metric; remembers what it let through */
export function createMetricNames(): (attributes: Attributes) => Attributes {
  // bounded: names of servers are those of the configuration, and one for all others
  const seen = new Map<string, Set<string | number>>();
  return (attributes) => {
    let bounded: Record<string, string | number> | undefined;
    for (const [name, atMost] of NAMES) {
      const { [name]: value } = attributes;
      if (value === undefined) continue;
      const key = `${name} ${attributes[CALL_ATTR.server] ?? ''}`;
      let values = seen.get(key);
      if (values === undefined) seen.set(key, (values = new Set()));
      if (values.has(value)) continue;
      if (values.size < atMost) values.add(value);
      else (bounded ??= { ...attributes })[name] = ERROR_TYPE_OTHER;
    }
    return bounded ?? attributes;
  };
}
