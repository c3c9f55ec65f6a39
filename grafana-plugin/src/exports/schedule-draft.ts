/**
 * A schedule while it is made or changed: from one that is there, to what the audit API takes, and what is still missing,
 * step by step. Secrets are only ever written: one that is left empty stays as it is set.
 */
import type { ApiQuery } from '../data/api.ts';
import type { ExportSchedule } from '../data/contract.ts';
import { filterQuery, NO_FILTERS, type CallFilters } from '../url/call-filters.ts';
import { capitalized, destinationText, keptFilters, scheduleWhat } from './export-words.ts';
import type { Shape } from './ExportShape.tsx';
import type { ValueNames } from '../filters/value-names.ts';

type Timing = ExportSchedule['timing'];
type DestinationView = ExportSchedule['destination'];
type S3View = Extract<DestinationView, { type: 's3' }>;

export interface ScheduleDraft {
  readonly name: string;
  readonly filters: CallFilters;
  readonly shape: Shape;
  readonly destination: DestinationDraft;
  readonly timing: TimingDraft;
  readonly timeZone: string;
  /** of a new one: how far back its first window begins, e.g. `now-7d`; empty: nothing of before */
  readonly startFrom: string;
  /** empty: as the audit API names files */
  readonly objectName: string;
  /** age public keys, one a line */
  readonly recipients: string;
}

export interface DestinationDraft {
  readonly type: DestinationView['type'];
  readonly configured: string;
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly pathStyle: boolean;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly url: string;
  readonly token: string;
  /** credentials are set and may stay */
  readonly credentialsSet: boolean;
  readonly sse: S3View['sse'];
  /** of `aws:kms`; empty: the store's own */
  readonly kmsKeyId: string;
  readonly lockMode: LockMode;
  /** as it is typed */
  readonly lockDays: string;
}

export type LockMode = 'none' | NonNullable<S3View['objectLock']>['mode'];

export interface TimingDraft {
  readonly every: Timing['every'];
  readonly at: string;
  readonly weekday: number;
  readonly day: number;
  readonly cron: string;
}

const NO_DESTINATION: DestinationDraft = {
  type: 'configured',
  configured: '',
  endpoint: '',
  region: 'us-east-1',
  bucket: '',
  pathStyle: false,
  accessKeyId: '',
  secretAccessKey: '',
  url: '',
  token: '',
  credentialsSet: false,
  sse: 'none',
  kmsKeyId: '',
  lockMode: 'none',
  lockDays: '',
};
const FIRST_TIMING: TimingDraft = { every: 'day', at: '02:00', weekday: 1, day: 1, cron: '0 */6 * * *' };

export function newDraft(timeZone: string): ScheduleDraft {
  return {
    name: '',
    filters: NO_FILTERS,
    shape: { format: 'jsonl', compression: 'gzip', columns: undefined, payloads: false },
    destination: NO_DESTINATION,
    timing: FIRST_TIMING,
    timeZone,
    startFrom: '',
    objectName: '',
    recipients: '',
  };
}

export function draftOf(schedule: ExportSchedule): ScheduleDraft {
  const { name, filters, format, compression, columns, payloads, timing, timeZone, objectName, recipients } = schedule;
  return {
    name,
    filters: keptFilters(filters),
    shape: { format, compression, columns, payloads },
    destination: destinationDraft(schedule.destination),
    timing: { ...FIRST_TIMING, ...timing },
    timeZone,
    startFrom: '',
    objectName,
    recipients: recipients.join('\n'),
  };
}

function destinationDraft(view: DestinationView): DestinationDraft {
  if (view.type === 'configured') return { ...NO_DESTINATION, configured: view.name };
  const { credentialsSet } = view;
  if (view.type === 'https') return { ...NO_DESTINATION, type: 'https', url: view.url, credentialsSet };
  const { endpoint = '', region, bucket, pathStyle, sse, kmsKeyId = '', objectLock } = view;
  const lock = objectLock === undefined ? {} : { lockMode: objectLock.mode, lockDays: String(objectLock.days) };
  const at = { endpoint, region, bucket, pathStyle, credentialsSet };
  return { ...NO_DESTINATION, type: 's3', ...at, sse, kmsKeyId, ...lock };
}

/** As the audit API takes it; what is empty is left out. */
export function destinationBody(draft: DestinationDraft): Record<string, unknown> {
  const { type, configured, endpoint, region, bucket, pathStyle, accessKeyId, secretAccessKey, url, token } = draft;
  if (type === 'configured') return { type, name: configured };
  if (type === 'https') return { type, url: url.trim(), ...filled({ token }) };
  const at = filled({ endpoint: endpoint.trim() });
  return {
    type,
    ...at,
    region,
    bucket: bucket.trim(),
    pathStyle,
    ...filled({ accessKeyId, secretAccessKey }),
    sse: draft.sse,
    ...(draft.sse === 'aws:kms' ? filled({ kmsKeyId: draft.kmsKeyId.trim() }) : {}),
    ...(draft.lockMode === 'none' ? {} : { objectLock: { mode: draft.lockMode, days: Number(draft.lockDays) } }),
  };
}

export function timingBody({ every, at, weekday, day, cron }: TimingDraft): Timing {
  if (every === 'hour') return { every };
  if (every === 'day') return { every, at };
  if (every === 'week') return { every, at, weekday };
  if (every === 'month') return { every, at, day };
  return { every, cron: cron.trim() };
}

export interface ScheduleBody {
  readonly name: string;
  readonly filters: ApiQuery;
  readonly [field: string]: unknown;
}

export function scheduleBody(draft: ScheduleDraft): ScheduleBody {
  const { format, compression, columns, payloads } = draft.shape;
  return {
    name: draft.name.trim(),
    filters: filterQuery(draft.filters),
    format,
    compression,
    ...(columns === undefined ? {} : { columns }),
    payloads,
    timing: timingBody(draft.timing),
    timeZone: draft.timeZone.trim(),
    destination: destinationBody(draft.destination),
    ...filled({ objectName: draft.objectName.trim(), startFrom: draft.startFrom }),
    recipients: draft.recipients.split(/\s+/).filter((key) => key !== ''),
  };
}

/** As the audit API takes it. */
const LONGEST_LOCK_DAYS = 36_500;

/** How far back a first window may begin. */
export const BACK = [
  { value: '', label: 'Not at all' },
  { value: 'now-1d', label: 'A day' },
  { value: 'now-7d', label: '7 days' },
  { value: 'now-30d', label: '30 days' },
] as const;

function backWords(startFrom: string): string {
  return BACK.find(({ value }) => value === startFrom)?.label.toLowerCase() ?? startFrom;
}

export const STEPS = ['What', 'Where', 'When'] as const;
export type Step = 0 | 1 | 2;

/** What is missing in a step, with what to do; the audit API looks at the rest. */
export function missingIn(step: Step, draft: ScheduleDraft): string | undefined {
  const { name, destination, timing, timeZone, shape } = draft;
  if (step === 0) return name.trim() === '' ? 'Give it a name.' : undefined;
  if (step === 1) return missingDestination(destination, shape);
  if (timeZone.trim() === '') return 'Give a time zone, e.g. Europe/Berlin.';
  if (timing.every === 'cron' && timing.cron.trim().split(/\s+/).length !== 5) return 'Cron has five fields.';
  return undefined;
}

function missingDestination(destination: DestinationDraft, { format }: Shape): string | undefined {
  const { type, configured, bucket, url, accessKeyId, secretAccessKey, credentialsSet } = destination;
  if (type === 'configured') return configured === '' ? 'Choose a destination.' : undefined;
  if (type === 'https') {
    if (!url.trim().startsWith('https://')) return 'Give an address that begins with https://.';
    return format === 'jsonl' ? undefined : 'An https destination takes JSONL. Change the form in the first step.';
  }
  if (bucket.trim() === '') return 'Name the bucket.';
  const days = Number(destination.lockDays);
  if (destination.lockMode !== 'none' && !(Number.isInteger(days) && days >= 1 && days <= LONGEST_LOCK_DAYS)) {
    return `Say for how many days objects are locked, 1 to ${LONGEST_LOCK_DAYS}.`;
  }
  const isGiven = accessKeyId !== '' && secretAccessKey !== '';
  if (isGiven || (credentialsSet && accessKeyId === '' && secretAccessKey === '')) return undefined;
  return 'Give access key and secret key.';
}

/** What is saved, in words. @param timingInWords of the audit API */
export function draftInWords(draft: ScheduleDraft, timingInWords: string, names: ValueNames): string {
  const { payloads, format, compression } = draft.shape;
  const what = scheduleWhat(
    { filters: filterQuery(draft.filters) as ExportSchedule['filters'], format, compression },
    names
  );
  const where = destinationText(destinationBody(draft.destination) as DestinationView);
  const encrypted = draft.recipients.trim() === '' ? '' : ' Files are encrypted with age.';
  const before = draft.startFrom === '' ? '' : ` The first goes back ${backWords(draft.startFrom)}.`;
  return `${capitalized(timingInWords)}: ${what}, ${payloads ? 'WITH payloads' : 'metadata only'}, to ${where}.${encrypted}${lockWords(draft.destination)}${before}`;
}

function lockWords({ type, lockMode, lockDays }: DestinationDraft): string {
  if (type !== 's3' || lockMode === 'none') return '';
  const who = lockMode === 'COMPLIANCE' ? 'Nobody' : 'Nobody without a special right';
  return ` ${who} can change or remove an object for ${lockDays} days.`;
}

function filled(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''));
}
