import { describe, expect, it } from 'vitest';
import { ACCESS_FIELDS, CALL_FIELDS, EXTRA_ATTRIBUTES, HEALTH_FIELDS, TOOL_CHANGE_FIELDS } from '../record/fields.ts';
import { MIRROR_ATTRIBUTES } from './mirror.ts';
import { ACCESS_ATTR, CALL_ATTR, HEALTH_ATTR } from './record-attributes.ts';
import * as semconv from './semconv.ts';

const known = new Set([
  ...[...CALL_FIELDS, ...ACCESS_FIELDS, ...HEALTH_FIELDS, ...TOOL_CHANGE_FIELDS].map((field) => field.source),
  ...EXTRA_ATTRIBUTES.map((extra) => extra.attribute),
]);

describe('the names of the record', () => {
  it('are those of record/fields.ts', () => {
    const spanNames = Object.entries(semconv)
      .filter(([name]) => name.startsWith('ATTR_') && !name.startsWith('ATTR_SERVICE_'))
      .map(([, value]) => value as string);
    const used = [
      ...spanNames,
      ...Object.values({ ...CALL_ATTR }),
      ...Object.values({ ...ACCESS_ATTR }),
      ...Object.values({ ...HEALTH_ATTR }),
    ];
    expect(used.filter((name) => !known.has(name))).toEqual([]);
  });

  it('let nothing that leads to a person, a session or content into a mirror', () => {
    for (const field of CALL_FIELDS.filter((one) => one.sensitivity !== 'operational')) {
      expect(MIRROR_ATTRIBUTES.has(field.source)).toBe(false);
    }
    for (const name of ['mcp.resource.uri', 'gatelens.api_key.name', 'gatelens.user.teams', 'gatelens.chain.hash']) {
      expect(known.has(name)).toBe(true);
      expect(MIRROR_ATTRIBUTES.has(name)).toBe(false);
    }
  });
});
