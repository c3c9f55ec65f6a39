/** What a form of a schedule sends: secrets only when typed, what it does not show stays, what is missing is said. */
import { describe, expect, it } from 'vitest';
import type { ExportSchedule } from '../data/contract.ts';
import { valueNames } from '../filters/value-names.ts';
import { draftInWords, draftOf, missingIn, newDraft, scheduleBody, type ScheduleDraft } from './schedule-draft.ts';

const SAVED: ExportSchedule = {
  id: 's',
  version: 3,
  name: 'Nightly',
  owner: { name: 'vera', user: null },
  filters: { server: ['hr'], notOutcome: ['success'], minDurationMs: 5 },
  format: 'csv',
  compression: 'zstd',
  columns: ['started_at', 'server'],
  payloads: false,
  timing: { every: 'week', at: '03:30', weekday: 7 },
  timingInWords: 'every Sunday at 03:30, Europe/Berlin',
  timeZone: 'Europe/Berlin',
  destination: {
    type: 's3',
    endpoint: 'https://s3.example.com',
    region: 'eu-central-1',
    bucket: 'audit',
    pathStyle: true,
    sse: 'aws:kms',
    kmsKeyId: 'key-1',
    objectLock: { mode: 'COMPLIANCE', days: 365 },
    credentialsSet: true,
  },
  objectName: '{schedule}/{from}-{part}.{ext}',
  recipients: ['age1a', 'age1b'],
  state: 'active',
  stateReason: null,
  heldBy: [],
  closedTo: '2026-11-24T00:00:00Z',
  nextRunAt: null,
  lastRun: null,
  createdAt: '2026-11-24T00:00:00Z',
  changedAt: '2026-11-24T00:00:00Z',
  mayChange: true,
  mayPause: true,
};

function filledDraft(change: Partial<ScheduleDraft> = {}): ScheduleDraft {
  const draft = newDraft('UTC');
  return { ...draft, name: ' a ', destination: { ...draft.destination, configured: 'archive' }, ...change };
}

describe('a schedule that is changed', () => {
  it('sends back everything that it had, and no secret that nobody typed', () => {
    const { credentialsSet, ...destination } = SAVED.destination as Extract<
      ExportSchedule['destination'],
      { type: 's3' }
    >;
    expect(credentialsSet).toBe(true);
    expect(scheduleBody(draftOf(SAVED))).toEqual({
      name: 'Nightly',
      filters: { server: ['hr'], notOutcome: ['success'], minDurationMs: 5 },
      format: 'csv',
      compression: 'zstd',
      columns: ['started_at', 'server'],
      payloads: false,
      timing: SAVED.timing,
      timeZone: 'Europe/Berlin',
      destination,
      objectName: SAVED.objectName,
      recipients: ['age1a', 'age1b'],
    });
  });

  it('needs both keys when one is typed', () => {
    const draft = draftOf(SAVED);
    expect(missingIn(1, draft)).toBeUndefined();
    const half = { ...draft, destination: { ...draft.destination, accessKeyId: 'x' } };
    expect(missingIn(1, half)).toContain('secret key');
  });
});

describe('an S3 destination', () => {
  const s3 = (change: Partial<ScheduleDraft['destination']> = {}): ScheduleDraft => {
    const { destination } = newDraft('UTC');
    const given = { bucket: 'audit', accessKeyId: 'a', secretAccessKey: 's' };
    return filledDraft({ destination: { ...destination, type: 's3', ...given, ...change } });
  };

  it('says how the store encrypts and for how long it locks, and nothing of what was not chosen', () => {
    expect(scheduleBody(s3({ kmsKeyId: 'left over', lockDays: '9' })).destination).toEqual({
      type: 's3',
      bucket: 'audit',
      region: 'us-east-1',
      pathStyle: false,
      accessKeyId: 'a',
      secretAccessKey: 's',
      sse: 'none',
    });
    expect(
      scheduleBody(s3({ sse: 'aws:kms', kmsKeyId: ' key-1 ', lockMode: 'GOVERNANCE', lockDays: '30' })).destination
    ).toMatchObject({ sse: 'aws:kms', kmsKeyId: 'key-1', objectLock: { mode: 'GOVERNANCE', days: 30 } });
  });

  it.each(['', '0', '1.5', 'soon', '36501'])('asks for days of a lock: %j', (lockDays) => {
    expect(missingIn(1, s3({ lockMode: 'COMPLIANCE', lockDays }))).toContain('for how many days');
    expect(missingIn(1, s3({ lockDays }))).toBeUndefined();
  });

  it('says before it is saved that nobody can take back what is locked', () => {
    const words = draftInWords(s3({ lockMode: 'COMPLIANCE', lockDays: '365' }), 'every hour', valueNames(undefined));
    expect(words).toContain('Nobody can change or remove an object for 365 days.');
  });
});

describe('a new schedule', () => {
  it('sends what was chosen', () => {
    expect(scheduleBody(filledDraft({ startFrom: 'now-7d' }))).toEqual({
      name: 'a',
      filters: {},
      format: 'jsonl',
      compression: 'gzip',
      payloads: false,
      timing: { every: 'day', at: '02:00' },
      timeZone: 'UTC',
      destination: { type: 'configured', name: 'archive' },
      startFrom: 'now-7d',
      recipients: [],
    });
  });

  it.each<[string, 0 | 1 | 2, Partial<ScheduleDraft>, string | undefined]>([
    ['no name', 0, { name: ' ' }, 'Give it a name.'],
    ['all of it', 0, {}, undefined],
    ['no destination', 1, { destination: newDraft('UTC').destination }, 'Choose a destination.'],
    [
      'plain http',
      1,
      { destination: { ...newDraft('UTC').destination, type: 'https', url: 'http://a' } },
      'Give an address that begins with https://.',
    ],
    [
      'CSV to https',
      1,
      {
        destination: { ...newDraft('UTC').destination, type: 'https', url: 'https://a' },
        shape: { format: 'csv', compression: 'none', columns: undefined, payloads: false },
      },
      'An https destination takes JSONL. Change the form in the first step.',
    ],
    [
      'cron of four',
      2,
      { timing: { ...newDraft('UTC').timing, every: 'cron', cron: '0 * * *' } },
      'Cron has five fields.',
    ],
    ['no time zone', 2, { timeZone: ' ' }, 'Give a time zone, e.g. Europe/Berlin.'],
  ])('with %s', (_what, step, change, expected) => {
    expect(missingIn(step, filledDraft(change))).toBe(expected);
  });

  it('is said in words, payloads loudly', () => {
    const draft = filledDraft();
    const shape = { ...draft.shape, payloads: true };
    expect(draftInWords({ ...draft, shape }, 'every day at 02:00, UTC', valueNames(undefined))).toBe(
      'Every day at 02:00, UTC: All calls (JSONL, gzip), WITH payloads, to archive.'
    );
  });
});
