// One named query: what it asks and why, its parameters, its answer, its SQL.

import { useEffect, useState } from 'preact/hooks';
import type { NamedQuery, Parameter } from '../api/types';
import { Problem, asProblem } from '../api/client';
import { useAnswer } from '../api/load';
import { type Table, askNamed, exportNamed } from '../api/sql';
import { sqlHref } from '../model/key';
import { Fact } from '../parts/fact';
import { Icon } from '../parts/icon';
import { PageHead, Section } from '../parts/page';
import { Result } from '../parts/result';
import { Empty, ProblemPanel, Shown, Waiting } from '../parts/states';
import { Copy } from '../parts/words';
import { setQuery, usePlace } from '../router';
import type { Names } from '../routes';

export default function Query({ names }: { names: Names }) {
  const name = names['name'] ?? '';
  const answer = useAnswer<{ queries: NamedQuery[] }>('/v1/queries');
  const known = answer.value?.queries.find((one) => one.name === name);
  return (
    <>
      <PageHead title={known?.title ?? name} over={<a href="/queries">Fraud queries</a>} about={known?.asks} />
      <Shown of={answer} what="the query" lines={6}>
        {() =>
          known ? (
            <Body query={known} />
          ) : (
            <ProblemPanel problem={new Problem(404, 'not-found', 'Not found', `there is no query named ${name}`)} />
          )
        }
      </Shown>
    </>
  );
}

interface Ran {
  busy: boolean;
  table: Table | null;
  problem: Problem | null;
}

/** What the address says, and what is taken where it is silent. */
function valuesOf(query: NamedQuery, place: URLSearchParams): Record<string, string> {
  return Object.fromEntries(
    query.parameters.map((one) => [one.name, place.get(one.name) ?? (one.default === null ? '' : String(one.default))]),
  );
}

function useNamed(query: NamedQuery, asked: Record<string, string>, ready: boolean): Ran & { again: () => void } {
  const [ran, setRan] = useState<Ran>({ busy: ready, table: null, problem: null });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (!ready) return;
    const abort = new AbortController();
    setRan({ busy: true, table: null, problem: null });
    askNamed(query.name, asked, abort.signal).then(
      (table) => setRan({ busy: false, table, problem: null }),
      (error: unknown) => !abort.signal.aborted && setRan({ busy: false, table: null, problem: asProblem(error) }),
    );
    return () => abort.abort();
  }, [JSON.stringify(asked), ready, turn]);
  return { ...ran, again: () => setTurn((was) => was + 1) };
}

function Body({ query }: { query: NamedQuery }) {
  const { query: place } = usePlace();
  const asked = valuesOf(query, place);
  const ready = place.has('run') || query.parameters.every((one) => one.default !== null || place.get(one.name));
  const { busy, table, problem, again } = useNamed(query, asked, ready);
  const run = (values: Record<string, string>) => {
    setQuery({ ...values, run: 'yes' }, 'step');
    again();
  };
  const docs = new Map(query.columns.map((one) => [one.name, one.doc]));
  return (
    <>
      <p>{query.why}</p>
      <Parameters key={JSON.stringify(asked)} query={query} values={asked} busy={busy} run={run} />
      <div aria-live="polite">
        {busy && <Waiting what="the answer" lines={5} />}
        {problem && <ProblemPanel problem={problem} retry={again} />}
      </div>
      {!ready && <Empty head="Not asked yet">Fill in what you know and run it.</Empty>}
      {table && (
        <Result
          table={table}
          docs={docs}
          name={query.name}
          fetchAs={(format) => exportNamed(query.name, asked, format)}
        />
      )}
      <About query={query} />
    </>
  );
}

/** What its columns mean, and how it is written. */
function About({ query }: { query: NamedQuery }) {
  const acts = (
    <span class="form-acts">
      <Copy text={query.sql} what="the SQL" />
      <a class="button small" href={sqlHref(query.sql)}>
        Open in SQL
        <Icon name="right" />
      </a>
    </span>
  );
  return (
    <>
      {query.columns.length > 0 && (
        <details class="twin">
          <summary>What the columns mean</summary>
          <dl class="facts">
            {query.columns.map((one) => (
              <Fact key={one.name} word={one.name}>
                {one.doc}
              </Fact>
            ))}
          </dl>
        </details>
      )}
      <Section title="Its SQL" acts={acts}>
        <pre class="sql" tabIndex={0} role="region" aria-label="The SQL of this query">
          {query.sql}
        </pre>
      </Section>
    </>
  );
}

function Parameters({
  query,
  values,
  busy,
  run,
}: {
  query: NamedQuery;
  values: Record<string, string>;
  busy: boolean;
  run: (values: Record<string, string>) => void;
}) {
  const [form, setForm] = useState(values);
  const send = (event: globalThis.Event) => {
    event.preventDefault();
    run(Object.fromEntries(Object.entries(form).map(([name, value]) => [name, value.trim()])));
  };
  return (
    <form class="panel form-grid" onSubmit={send} action={`/queries/${query.name}`}>
      {query.parameters.map((one) => (
        <Field
          key={one.name}
          parameter={one}
          value={form[one.name] ?? ''}
          put={(value) => setForm({ ...form, [one.name]: value })}
        />
      ))}
      <div class="form-acts wide">
        <button type="submit" class="button primary" disabled={busy}>
          <Icon name="play" />
          Run
        </button>
      </div>
    </form>
  );
}

const HINTS: Record<Parameter['type'], string> = {
  text: '',
  integer: 'a whole number',
  time: 'a time in UTC, such as 2026-01-31T00:00:00Z',
  gtin: '14 digits',
  address: '0x and 40 hexadecimal digits',
};

function Field({ parameter, value, put }: { parameter: Parameter; value: string; put: (value: string) => void }) {
  const id = `parameter-${parameter.name}`;
  const hint = [parameter.doc, HINTS[parameter.type]].filter(Boolean).join('; ');
  return (
    <div class="labelled">
      <label for={id}>
        {parameter.name}
        {parameter.default === null && <span class="hint"> (no default)</span>}
      </label>
      <input
        id={id}
        class="mono"
        name={parameter.name}
        autocomplete="off"
        spellcheck={false}
        inputMode={parameter.type === 'integer' || parameter.type === 'gtin' ? 'numeric' : 'text'}
        value={value}
        onInput={(event) => put(event.currentTarget.value)}
        aria-describedby={`${id}-hint`}
      />
      <span class="hint" id={`${id}-hint`}>
        {hint}
      </span>
    </div>
  );
}
