// A pedigree as rows: events in the order of the chain, each in the lane of its branch, and the silences between.

import type { Custody, Entry } from '../api/types';
import { secondsBetween } from './time';

export interface StepRow {
  kind: 'step';
  entry: Entry;
  lane: number;
  /** Does a branch begin here that contradicts the one before? */
  opens: boolean;
  /** Does it stand in the same transaction as the row above? */
  joined: boolean;
}
export interface GapRow {
  kind: 'gap';
  secs: number;
  from: string;
  to: string;
}
export type Row = StepRow | GapRow;

/** Shorter silences are a night between two shifts. */
export const GAP_SECS = 36 * 3_600;

/** The rows of a story, and its lanes in order. */
export function rowsOf(entries: Entry[], custody: Custody[]): { rows: Row[]; lanes: number[] } {
  const opening = openings(custody);
  const rows: Row[] = [];
  const lanes = new Set<number>([0]);
  let before: Entry | null = null;
  for (const entry of entries) {
    const opened = opening(entry);
    const lane = opened ?? entry.event.branch;
    lanes.add(lane);
    if (before) {
      const secs = secondsBetween(before.event.block_time, entry.event.block_time);
      if (secs !== null && secs >= GAP_SECS && before.event.chain === entry.event.chain) {
        rows.push({ kind: 'gap', secs, from: before.event.block_time, to: entry.event.block_time });
      }
    }
    const joined = before !== null && before.event.tx_hash === entry.event.tx_hash;
    rows.push({ kind: 'step', entry, lane, opens: opened !== null, joined });
    before = entry;
  }
  return { rows, lanes: [...lanes].sort((a, b) => a - b) };
}

/**
 * An event that does not fit stands on the branch that it contradicts, and the branch that it begins is found by the
 * custody that begins with it.
 */
function openings(custody: Custody[]): (entry: Entry) => number | null {
  const begun = new Set<number>();
  return ({ event }) => {
    if (event.legal) return null;
    const found = custody.find(
      (one) =>
        one.branch > event.branch &&
        !begun.has(one.branch) &&
        one.chain === event.chain &&
        one.from_block === event.block_number &&
        [event.actor, event.to_address, event.from_address].includes(one.holder) &&
        !custody.some((other) => other.branch === one.branch && other.from_block < one.from_block),
    );
    if (!found) return null;
    begun.add(found.branch);
    return found.branch;
  };
}
