// Asks SQL, and brings both shapes of a JSON answer, rows as objects and rows as lists, to one table.

import type { Snapshot } from './types';
import { type Question, ask, withQuery } from './client';

export interface Table {
  columns: { name: string; type: string | null }[];
  rows: unknown[][];
  truncated: boolean;
  snapshot: Snapshot | null;
}

/** The formats that an answer can be saved in. */
export const FORMATS = [
  { word: 'CSV', ending: 'csv', type: 'text/csv' },
  { word: 'Parquet', ending: 'parquet', type: 'application/vnd.apache.parquet' },
  { word: 'NDJSON', ending: 'ndjson', type: 'application/x-ndjson' },
] as const;
export type Format = (typeof FORMATS)[number];

const PLAIN = 'text/plain; charset=utf-8';

/** Rows of one statement. */
export async function askSql(sql: string, signal?: AbortSignal): Promise<Table> {
  const question: Question = { body: sql, type: PLAIN };
  if (signal) question.signal = signal;
  return tableOf(await ask('/v1/sql', question));
}

/** The first rows of a statement that may have millions: the rest is not fetched. */
export async function askFirstRows(sql: string, limit: number, signal: AbortSignal): Promise<Table> {
  const response = await ask('/v1/sql', { body: sql, type: PLAIN, accept: 'application/x-ndjson', signal });
  const { lines, more } = await firstLines(response, limit);
  const table = ofObjects(lines.map((line) => JSON.parse(line) as unknown));
  return finished(table, response, more);
}

async function firstLines(response: Response, limit: number): Promise<{ lines: string[]; more: boolean }> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const lines: string[] = [];
  let begun = '';
  while (reader) {
    const { value, done } = await reader.read();
    if (done) break;
    const parts = (begun + value).split('\n');
    begun = parts.pop() ?? '';
    lines.push(...parts.filter((line) => line !== ''));
    if (lines.length > limit) {
      await reader.cancel();
      return { lines: lines.slice(0, limit), more: true };
    }
  }
  if (begun !== '') lines.push(begun);
  return { lines, more: false };
}

/** Rows of a named query. */
export async function askNamed(name: string, parameters: Record<string, string>, signal?: AbortSignal): Promise<Table> {
  return tableOf(await ask(namedPath(name, parameters), signal ? { signal } : {}));
}

/** The answer of one statement in a format to be saved. */
export function exportSql(sql: string, format: Format): Promise<Response> {
  return ask('/v1/sql', { body: sql, type: PLAIN, accept: format.type });
}

/** The answer of a named query in a format to be saved. */
export function exportNamed(name: string, parameters: Record<string, string>, format: Format): Promise<Response> {
  return ask(namedPath(name, parameters), { accept: format.type });
}

function namedPath(name: string, parameters: Record<string, string>): string {
  return withQuery(`/v1/queries/${encodeURIComponent(name)}`, parameters);
}

async function tableOf(response: Response): Promise<Table> {
  const told: unknown = await response.json();
  return finished(Array.isArray(told) ? ofObjects(told) : ofLists(told as Partial<Table>), response, false);
}

/** What the headers say of the rows. */
function finished(table: Table, response: Response, more: boolean): Table {
  table.snapshot ??= snapshotOf(response.headers.get('x-rxtrail-snapshot') ?? '');
  table.truncated ||= more || response.headers.get('x-rxtrail-truncated') === 'true';
  return table;
}

function ofLists(told: Partial<Table>): Table {
  return {
    columns: told.columns ?? [],
    rows: told.rows ?? [],
    truncated: told.truncated ?? false,
    snapshot: told.snapshot ?? null,
  };
}

function ofObjects(rows: unknown[]): Table {
  const objects = rows as Record<string, unknown>[];
  const names = Object.keys(objects[0] ?? {});
  return {
    columns: names.map((name) => ({ name, type: null })),
    rows: objects.map((row) => names.map((name) => row[name] ?? null)),
    truncated: false,
    snapshot: null,
  };
}

/** The snapshot as the header writes it: `commit=7; chain=1 head=120 (0x…) finalized=100 (0x…)`. */
export function snapshotOf(header: string): Snapshot | null {
  const commit = /commit=(\d+)/.exec(header);
  if (!commit) return null;
  const mark = (text: string, word: string) => {
    const found = new RegExp(`${word}=(\\d+) \\((0x[0-9a-f]+)\\)`).exec(text);
    return found ? { number: Number(found[1]), hash: found[2] ?? '' } : null;
  };
  const chains = header
    .split(';')
    .map((part) => ({ part, chain: /chain=(\d+)/.exec(part) }))
    .flatMap(({ part, chain }) =>
      chain ? [{ chain: Number(chain[1]), head: mark(part, 'head'), finalized: mark(part, 'finalized') }] : [],
    );
  return { commit: Number(commit[1]), chains };
}
