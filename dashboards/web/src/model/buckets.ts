// Counts by time and severity, in as many steps as a chart can show.

import type { Severity } from '../api/types';

export interface HourCount {
  hour: string;
  severity: Severity;
  cases: number;
}
export interface Buckets {
  stepSecs: number;
  starts: number[];
  counts: Record<Severity, number[]>;
}

export const SEVERITIES: readonly Severity[] = ['critical', 'high', 'medium', 'low'];
const STEPS_SECS = [3_600, 6 * 3_600, 86_400, 7 * 86_400, 28 * 86_400];
const SHOWN = 40;

/** The latest steps, the narrowest ones of which the whole time fits; empty where nothing is counted. */
export function bucketsOf(rows: HourCount[]): Buckets {
  const timed = rows.map((row) => ({ ...row, at: Date.parse(row.hour) / 1000 })).filter((row) => !Number.isNaN(row.at));
  const first = Math.min(...timed.map((row) => row.at));
  const last = Math.max(...timed.map((row) => row.at));
  const widest = STEPS_SECS[STEPS_SECS.length - 1] ?? 0;
  const stepSecs = STEPS_SECS.find((step) => (last - first) / step < SHOWN) ?? widest;
  const counts: Record<Severity, number[]> = { critical: [], high: [], medium: [], low: [] };
  if (timed.length === 0) return { stepSecs, starts: [], counts };
  const floor = (at: number) => Math.floor(at / stepSecs) * stepSecs;
  const begin = Math.max(floor(first), floor(last) - (SHOWN - 1) * stepSecs);
  const starts: number[] = [];
  for (let at = begin; at <= last; at += stepSecs) starts.push(at);
  for (const severity of SEVERITIES) counts[severity] = starts.map(() => 0);
  for (const row of timed) {
    const at = (floor(row.at) - begin) / stepSecs;
    const series = counts[row.severity];
    const was = series?.[at];
    if (series && was !== undefined) series[at] = was + row.cases;
  }
  return { stepSecs, starts, counts };
}
