// Times, spans, sentences and files: what the reader sees of a value.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { snapshotOf } from '../src/api/sql';
import { csvOf } from '../src/model/csv';
import { positionsOf } from '../src/model/evidence';
import { piecesOf } from '../src/model/pieces';
import { many, shortHex } from '../src/model/short';
import { agesUntil, span, timeText } from '../src/model/time';

test('spans name their two largest units', () => {
  assert.deepEqual([0, 59, 60, 3_599, 3_600, 90_000, 86_400, 1_000_000].map(span), [
    '0 s',
    '59 s',
    '1 min',
    '59 min',
    '1 h',
    '1 d 1 h',
    '1 d',
    '11 d 13 h',
  ]);
});

test('times are exact or to the minute, and unreadable ones stay as they came', () => {
  assert.deepEqual(
    [timeText('2025-03-31T07:55:36Z', 'utc'), timeText('2025-03-31T07:55:36Z', 'utc', false), timeText('soon', 'utc')],
    ['2025-03-31 07:55:36 UTC', '2025-03-31 07:55 UTC', 'soon'],
  );
});

test('ages are counted to now, or to a head that is not of now', () => {
  const now = Date.parse('2026-01-01T12:00:00Z');
  const head = '2025-04-25T07:05:24Z';
  assert.deepEqual(
    [agesUntil(null, now), agesUntil('2026-01-01T11:59:00Z', now), agesUntil(head, now)],
    [now, now, Date.parse(head)],
  );
});

test('a sentence keeps its text around addresses and times', () => {
  const address = '0x2538eE9c4b71010DddD3A04817b8993F164a1bb9';
  assert.deepEqual(piecesOf(`shipping by ${address} at 2025-03-25T07:41:08Z, not 0x12`), [
    { kind: 'text', text: 'shipping by ' },
    { kind: 'hex', text: address },
    { kind: 'text', text: ' at ' },
    { kind: 'time', text: '2025-03-25T07:41:08Z' },
    { kind: 'text', text: ', not 0x12' },
  ]);
  assert.deepEqual([shortHex(address), shortHex('Kestrelle')], ['0x2538…1bb9', 'Kestrelle']);
});

test('CSV quotes what it must and runs nothing in a spreadsheet', () => {
  const rows = [
    ['a,b', 'say "so"', null],
    ['=HYPERLINK("x")', '+1', -12.5],
    ['two\nlines', '@sum', { a: 1 }],
  ];
  assert.equal(
    csvOf(['x', 'y', 'z'], rows),
    'x,y,z\r\n"a,b","say ""so""",\r\n"\'=HYPERLINK(""x"")",\'+1,-12.5\r\n"two\nlines",\'@sum,"{""a"":1}"\r\n',
  );
});

test('evidence and snapshots are read as they are written', () => {
  assert.deepEqual(positionsOf('1:759/6 1:794/8 odd'), [
    { chain: 1, block: 759, log: 6 },
    { chain: 1, block: 794, log: 8 },
  ]);
  assert.deepEqual(snapshotOf('commit=7; chain=1 head=12 (0xab) finalized=10 (0xcd); chain=5 head=3 (0xef)'), {
    commit: 7,
    chains: [
      { chain: 1, head: { number: 12, hash: '0xab' }, finalized: { number: 10, hash: '0xcd' } },
      { chain: 5, head: { number: 3, hash: '0xef' }, finalized: null },
    ],
  });
  assert.equal(snapshotOf(''), null);
  assert.deepEqual(
    [many(1, 'case'), many(20_000, 'case'), many(2, 'branch', 'branches')],
    ['1 case', '20,000 cases', '2 branches'],
  );
});
