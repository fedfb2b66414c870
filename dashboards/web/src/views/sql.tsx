// Any question, in SQL: an editor that knows the tables, and the answer with its moment.

import { useEffect, useRef, useState } from 'preact/hooks';
import { type Problem, asProblem } from '../api/client';
import { type Table, askFirstRows, askSql, exportSql } from '../api/sql';
import { sqlHref } from '../model/key';
import { span } from '../model/time';
import { Icon } from '../parts/icon';
import { PageHead } from '../parts/page';
import { Result } from '../parts/result';
import { ProblemPanel, Waiting } from '../parts/states';
import { usePlace } from '../router';
import { type Editor, type Schema, startEditor } from './sql-editor';
import { SchemaBrowser } from './sql-schema';

/** More rows than a person reads; all of them can be saved. */
const ROWS_SHOWN = 5_000;
const FIRST = 'SELECT severity, rule, item, came\nFROM alerts\nWHERE root IS NULL\nORDER BY raised_at DESC\nLIMIT 20';
const SCHEMA =
  "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, ordinal_position";

function statementInAddress(): string {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return location.hash.slice(1);
  }
}

interface Ran {
  sql: string;
  busy: boolean;
  table: Table | null;
  problem: Problem | null;
  secs: number;
  stopped: boolean;
}
const NOTHING: Ran = { sql: '', busy: false, table: null, problem: null, secs: 0, stopped: false };

/** Runs one statement at a time. */
function useRun(): { ran: Ran; run: (sql: string) => void; cancel: () => void } {
  const [ran, setRan] = useState<Ran>(NOTHING);
  const abort = useRef<AbortController | null>(null);
  const run = (sql: string) => {
    abort.current?.abort();
    const mine = new AbortController();
    abort.current = mine;
    const begun = performance.now();
    setRan({ ...NOTHING, sql, busy: true });
    const end = (part: Partial<Ran>) => setRan({ ...NOTHING, sql, secs: (performance.now() - begun) / 1000, ...part });
    askFirstRows(sql, ROWS_SHOWN, mine.signal).then(
      (table) => end({ table }),
      (error: unknown) => {
        if (abort.current === mine) end(mine.signal.aborted ? { stopped: true } : { problem: asProblem(error) });
      },
    );
  };
  useEffect(
    () => () => {
      abort.current?.abort();
      abort.current = null;
    },
    [],
  );
  return { ran, run, cancel: () => abort.current?.abort() };
}

function useSchema(): Schema {
  const [schema, setSchema] = useState<Schema>([]);
  useEffect(() => {
    const abort = new AbortController();
    askSql(SCHEMA, abort.signal).then(
      (table) => {
        const tables = new Map<string, { name: string; type: string }[]>();
        for (const [name, column, type] of table.rows.map((row) => row.map(String))) {
          const columns = tables.get(name ?? '') ?? [];
          columns.push({ name: column ?? '', type: type ?? '' });
          tables.set(name ?? '', columns);
        }
        setSchema([...tables].map(([name, columns]) => ({ name, columns })));
      },
      () => setSchema([]),
    );
    return () => abort.abort();
  }, []);
  return schema;
}

export default function Sql() {
  const { turn } = usePlace();
  const box = useRef<HTMLDivElement>(null);
  const editor = useRef<Editor | null>(null);
  const { ran, run, cancel } = useRun();
  const schema = useSchema();
  const start = () => {
    const sql = editor.current?.text().trim() ?? '';
    if (sql === '') return;
    const href = sqlHref(sql);
    if (location.hash !== href.slice(href.indexOf('#'))) history.pushState(null, '', href);
    run(sql);
  };
  const latest = useRef(start);
  latest.current = start;
  useEffect(() => {
    if (!box.current) return;
    editor.current = startEditor(box.current, statementInAddress() || FIRST, () => latest.current());
    return () => editor.current?.close();
  }, []);
  // The address leads: by a link, the back button, or the reader's own hand.
  useEffect(() => {
    const sql = statementInAddress();
    if (sql === '' || sql === ran.sql) return;
    editor.current?.put(sql);
    run(sql);
  }, [turn]);
  useEffect(() => editor.current?.teach(schema), [schema]);
  return (
    <>
      <PageHead title="SQL" about="The tables can be read and not changed. The address keeps the statement." />
      <div class="sql-view">
        <div>
          <div class="editor" ref={box} />
          <RunBar ran={ran} start={start} cancel={cancel} />
          {ran.busy && <Waiting what="the answer" lines={4} />}
          {ran.problem && <ProblemPanel problem={ran.problem} />}
          {ran.table && <Result table={ran.table} name="answer" fetchAs={(format) => exportSql(ran.sql, format)} />}
        </div>
        <SchemaBrowser schema={schema} insert={(text) => editor.current?.insert(text)} />
      </div>
    </>
  );
}

function RunBar({ ran, start, cancel }: { ran: Ran; start: () => void; cancel: () => void }) {
  const took = ran.secs < 1 ? `${Math.round(ran.secs * 1000)} ms` : span(ran.secs);
  return (
    <div class="result-bar">
      <button type="button" class="button primary" onClick={start} disabled={ran.busy}>
        <Icon name="play" />
        Run
      </button>
      <button type="button" class="button" onClick={cancel} disabled={!ran.busy}>
        <Icon name="stop" />
        Cancel
      </button>
      <span class="quiet small keys">
        <kbd>Ctrl</kbd> <kbd>Enter</kbd> runs, <kbd>Ctrl</kbd> <kbd>Space</kbd> completes
      </span>
      <span class="quiet small" role="status">
        {ran.stopped ? 'Cancelled' : ran.table ? `answered in ${took}` : ''}
      </span>
    </div>
  );
}
