// Custody as a graph: holders are nodes, hand-overs are edges, and a hop is how far a holder is from the first.

import type { Custody, CustodyRole, Entry } from '../api/types';
import { rowsOf } from './lanes';

export interface Holder {
  id: string;
  holder: string;
  hop: number;
  holds: Custody[];
  open: boolean;
  branches: number[];
}
export interface HandOver {
  id: string;
  from: string;
  to: string;
  branch: number;
  times: { block: number; time: string }[];
}
export interface Graph {
  holders: Holder[];
  handOvers: HandOver[];
  hops: number;
}

/** The role that says most: who had it, else whose token it was, else who told of it. */
export function rolesOf(custody: Custody[]): CustodyRole[] {
  const all: CustodyRole[] = ['possessor', 'owner', 'declarer'];
  return all.filter((role) => custody.some((one) => one.role === role));
}

const byStart = (a: Custody, b: Custody) => a.branch - b.branch || a.chain - b.chain || a.from_block - b.from_block;

/** Events that name a giver and a taker, and are not the giving of the thing: tokens moving, rights granted. */
const NOT_SENT = /^(transfer|transfer_quantity|mint|burn|commissioning|holding|approval.*|role_.*|ownership_.*)$/;
const NOBODY = /^0x0+$/;

/**
 * Who sent it to whom, by the steps told: also those of the case or pallet that it was inside of, which the intervals of
 * the item itself do not hold.
 */
export function graphOfSendings(entries: Entry[], custody: Custody[], possessors: (string | null)[]): Graph {
  const holders = new Map<string, Holder>();
  const handOvers = new Map<string, HandOver>();
  const seen = (holder: string, hop: number): Holder => {
    const known = holders.get(holder);
    if (known) return known;
    const holds = custody.filter((one) => one.role === 'possessor' && one.holder === holder);
    const made: Holder = { id: holder, holder, hop, holds, open: possessors.includes(holder), branches: [] };
    holders.set(holder, made);
    return made;
  };
  for (const row of rowsOf(entries, custody).rows) {
    if (row.kind === 'gap') continue;
    const { event } = row.entry;
    const from = event.from_address ?? event.actor;
    const to = event.to_address;
    if (!from || !to || from === to || NOT_SENT.test(event.kind) || NOBODY.test(from) || NOBODY.test(to)) continue;
    const giver = seen(from, 0);
    for (const one of [giver, seen(to, giver.hop + 1)])
      if (!one.branches.includes(row.lane)) one.branches.push(row.lane);
    const id = `${from}>${to}>${row.lane}`;
    const edge = handOvers.get(id) ?? { id, from, to, branch: row.lane, times: [] };
    edge.times.push({ block: event.block_number, time: event.event_time ?? event.block_time });
    handOvers.set(id, edge);
  }
  return graphWith(holders, handOvers);
}

function graphWith(holders: Map<string, Holder>, handOvers: Map<string, HandOver>): Graph {
  const list = [...holders.values()];
  return { holders: list, handOvers: [...handOvers.values()], hops: Math.max(0, ...list.map((one) => one.hop)) };
}

/** The graph of one role. A holder is one node in all branches; what is handed over twice is one edge with two times. */
export function graphOf(custody: Custody[], role: CustodyRole): Graph {
  const intervals = custody.filter((one) => one.role === role).sort(byStart);
  const holders = new Map<string, Holder>();
  const handOvers = new Map<string, HandOver>();
  let before: Custody | null = null;
  for (const one of intervals) {
    const follows = before !== null && before.branch === one.branch && before.chain === one.chain;
    const known = holders.get(one.holder);
    const hop: number = follows && before ? (holders.get(before.holder)?.hop ?? 0) + 1 : 0;
    const node = known ?? { id: one.holder, holder: one.holder, hop, holds: [], open: false, branches: [] };
    node.holds.push(one);
    if (!node.branches.includes(one.branch)) node.branches.push(one.branch);
    node.open ||= one.to_block === null;
    holders.set(one.holder, node);
    if (follows && before && before.holder !== one.holder) {
      const id = `${before.holder}>${one.holder}>${one.branch}`;
      const edge: HandOver = handOvers.get(id) ?? {
        id,
        from: before.holder,
        to: one.holder,
        branch: one.branch,
        times: [],
      };
      edge.times.push({ block: one.from_block, time: one.from_time });
      handOvers.set(id, edge);
    }
    before = one;
  }
  return graphWith(holders, handOvers);
}

/** The part of a graph that is at most so many hops away. */
export function within(graph: Graph, hops: number): Graph {
  const holders = graph.holders.filter((one) => one.hop <= hops);
  const shown = new Set(holders.map((one) => one.id));
  const handOvers = graph.handOvers.filter((edge) => shown.has(edge.from) && shown.has(edge.to));
  return { holders, handOvers, hops: graph.hops };
}
