// A pedigree becomes lanes and a graph; alerts become bars.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Custody, Entry, Event } from '../src/api/types';
import { bucketsOf } from '../src/model/buckets';
import { graphOf, graphOfSendings, rolesOf, within } from '../src/model/graph';
import { rowsOf } from '../src/model/lanes';

const [MAKER, WHOLESALER, PHARMACY] = ['0xa', '0xb', '0xc'] as const;

function entry(block: number, time: string, part: Partial<Event>): Entry {
  const event: Event = {
    chain: 1,
    block_number: block,
    log_index: 0,
    sub_index: 0,
    block_time: time,
    event_time: null,
    tx_hash: `0x${block}`,
    contract: '0xf',
    token_id: '1',
    kind: 'shipping',
    branch: 0,
    legal: true,
    authority: 'authoritative',
    from_address: null,
    to_address: null,
    actor: MAKER,
    parent: null,
    quantity: null,
    place: null,
    reason: null,
    detail: null,
    finality: 'final',
    ...part,
  };
  return { event, inside: null, alerts: [] };
}

function held(
  branch: number,
  holder: string,
  from: number,
  to: number | null,
  role: Custody['role'] = 'possessor',
): Custody {
  const time = (block: number) => `2025-03-01T00:00:${String(block).padStart(2, '0')}Z`;
  return {
    chain: 1,
    branch,
    role,
    holder,
    from_block: from,
    from_time: time(from),
    to_block: to,
    to_time: to === null ? null : time(to),
    finality: 'final',
  };
}

test('a clone is told beside the story that it contradicts', () => {
  const entries = [
    entry(1, '2025-03-01T00:00:00Z', { kind: 'commissioning' }),
    entry(1, '2025-03-01T00:00:00Z', { kind: 'packing', log_index: 1 }),
    entry(9, '2025-03-05T00:00:00Z', { kind: 'commissioning', legal: false }),
    entry(10, '2025-03-05T01:00:00Z', { branch: 1 }),
    entry(11, '2025-03-05T02:00:00Z', { legal: false, actor: PHARMACY }),
  ];
  const { rows, lanes } = rowsOf(entries, [held(0, MAKER, 1, null), held(1, MAKER, 9, null)]);
  assert.deepEqual(lanes, [0, 1]);
  assert.deepEqual(
    rows.map((row) =>
      row.kind === 'gap'
        ? { gap: row.secs }
        : { block: row.entry.event.block_number, lane: row.lane, opens: row.opens, joined: row.joined },
    ),
    [
      { block: 1, lane: 0, opens: false, joined: false },
      { block: 1, lane: 0, opens: false, joined: true },
      { gap: 4 * 86_400 },
      { block: 9, lane: 1, opens: true, joined: false },
      { block: 10, lane: 1, opens: false, joined: false },
      { block: 11, lane: 0, opens: false, joined: false },
    ],
  );
});

test('hand-overs follow the intervals of each branch, and a return makes a second edge', () => {
  const custody = [
    held(0, MAKER, 1, 2),
    held(0, WHOLESALER, 2, 3),
    held(0, PHARMACY, 3, 4),
    held(0, WHOLESALER, 4, 5),
    held(0, PHARMACY, 5, null),
    held(1, MAKER, 9, null),
    held(0, MAKER, 1, null, 'owner'),
  ];
  assert.deepEqual(rolesOf(custody), ['possessor', 'owner']);
  const graph = graphOf(custody, 'possessor');
  assert.deepEqual(
    graph.holders.map(({ id, hop, open }) => ({ id, hop, open })),
    [
      { id: MAKER, hop: 0, open: true },
      { id: WHOLESALER, hop: 1, open: false },
      { id: PHARMACY, hop: 2, open: true },
    ],
  );
  assert.deepEqual(
    graph.handOvers.map(({ id, times }) => [id, times.map((one) => one.block)]),
    [
      ['0xa>0xb>0', [2]],
      ['0xb>0xc>0', [3, 5]],
      ['0xc>0xb>0', [4]],
    ],
  );
  const near = within(graph, 1);
  assert.deepEqual(
    [near.holders.map((one) => one.id), near.handOvers.map((one) => one.id), near.hops],
    [[MAKER, WHOLESALER], ['0xa>0xb>0'], 2],
  );
  assert.deepEqual(graphOf([], 'owner'), { holders: [], handOvers: [], hops: 0 });
});

test('sendings count also while an item is inside of another', () => {
  const sent = (block: number, from: string, to: string, part: Partial<Event> = {}) =>
    entry(block, `2025-03-01T00:00:${block}Z`, { from_address: from, to_address: to, actor: from, ...part });
  const entries = [
    sent(10, `0x${'0'.repeat(40)}`, MAKER, { kind: 'transfer' }),
    { ...sent(11, MAKER, WHOLESALER), inside: '00/080100070011400015' },
    { ...sent(12, MAKER, WHOLESALER, { kind: 'transfer' }), inside: '00/080100070011400015' },
    sent(13, WHOLESALER, PHARMACY),
    sent(14, MAKER, PHARMACY, { branch: 1 }),
  ];
  const { holders, handOvers } = graphOfSendings(
    entries,
    [held(0, MAKER, 10, 13), held(0, PHARMACY, 13, null)],
    [PHARMACY],
  );
  assert.deepEqual(
    holders.map(({ id, hop, open, branches, holds }) => [id, hop, open, branches, holds.length]),
    [
      [MAKER, 0, false, [0, 1], 1],
      [WHOLESALER, 1, false, [0], 0],
      [PHARMACY, 2, true, [0, 1], 1],
    ],
  );
  assert.deepEqual(
    handOvers.map(({ id, times }) => [id, times.map((one) => one.block)]),
    [
      ['0xa>0xb>0', [11]],
      ['0xb>0xc>0', [13]],
      ['0xa>0xc>1', [14]],
    ],
  );
});

test('bars are as wide as it takes to show the whole time', () => {
  const row = (hour: string, severity: 'critical' | 'low', cases: number) => ({ hour, severity, cases });
  assert.deepEqual(bucketsOf([]).starts, []);
  const short = bucketsOf([row('2025-03-01T03:00:00Z', 'low', 2), row('2025-03-01T01:00:00Z', 'critical', 1)]);
  assert.deepEqual(
    [short.stepSecs, short.counts.critical, short.counts.low, short.counts.high],
    [3_600, [1, 0, 0], [0, 0, 2], [0, 0, 0]],
  );
  const long = bucketsOf([
    row('2025-03-01T03:00:00Z', 'low', 2),
    row('2025-03-01T23:00:00Z', 'low', 1),
    row('2025-03-20T01:00:00Z', 'critical', 1),
  ]);
  assert.deepEqual(
    [long.stepSecs, long.starts.length, long.counts.low[0], long.counts.critical.at(-1)],
    [86_400, 20, 3, 1],
  );
});
