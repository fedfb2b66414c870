// The answer of a query: its rows, its moment, whether rows are missing, and what it can be saved as.

import { useState } from 'preact/hooks';
import { type Problem, asProblem } from '../api/client';
import { FORMATS, type Format, type Table } from '../api/sql';
import { caseHref, itemHref, partsOf } from '../model/key';
import { counted, many } from '../model/short';
import { Icon } from './icon';
import { saveBlob } from './save';
import { AsOf, Empty, ProblemPanel } from './states';

/** Rows that are drawn at once. */
const DRAWN = 200;

interface Props {
  table: Table;
  docs?: Map<string, string> | undefined;
  name: string;
  fetchAs: (format: Format) => Promise<Response>;
}

export function Result({ table, docs, name, fetchAs }: Props) {
  const [drawn, setDrawn] = useState(DRAWN);
  return (
    <>
      {table.truncated && (
        <p class="notice warn" role="status">
          <Icon name="warning" />
          These are the first {counted(table.rows.length)} rows; there are more. Save the answer to have them, or ask
          for fewer.
        </p>
      )}
      <div class="result-bar">
        <p role="status">
          <strong>{many(table.rows.length, 'row')}</strong>
        </p>
        <Exports name={name} fetchAs={fetchAs} />
      </div>
      {table.rows.length === 0 ? (
        <Empty head="No row">The question was answered: nothing matches it.</Empty>
      ) : (
        <Rows table={table} docs={docs} drawn={drawn} />
      )}
      {drawn < table.rows.length && (
        <p>
          <button type="button" class="button" onClick={() => setDrawn(drawn + DRAWN)}>
            Show more ({counted(table.rows.length - drawn)} left)
          </button>
        </p>
      )}
      <AsOf snapshot={table.snapshot} />
    </>
  );
}

function Rows({ table, docs, drawn }: { table: Table; docs: Map<string, string> | undefined; drawn: number }) {
  const numeric = table.columns.map(
    (column, at) => /int|float|decimal/i.test(column.type ?? '') || typeof table.rows[0]?.[at] === 'number',
  );
  return (
    <div class="table-frame result" role="region" aria-label="Rows of the answer" tabIndex={0}>
      <table>
        <caption class="hidden">Rows of the answer</caption>
        <thead>
          <tr>
            {table.columns.map((column, at) => (
              <th key={at} scope="col" class={numeric[at] ? 'numeric' : ''} title={docs?.get(column.name)}>
                {column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.slice(0, drawn).map((row, index) => (
            <tr key={index}>
              {row.map((value, at) => (
                <td key={at} class={numeric[at] ? 'numeric' : ''}>
                  <Cell name={table.columns[at]?.name ?? ''} value={value} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Columns that name something with a view of its own are links. */
function Cell({ name, value }: { name: string; value: unknown }) {
  if (value === null || value === undefined) return <span class="null">null</span>;
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  if (/^(item|parent|child|subject|source)$/.test(name) && partsOf(text).kind !== 'other')
    return <a href={itemHref(text)}>{text}</a>;
  if (/^(case_key|root)$/.test(name) && /^0x[0-9a-f]{64}$/.test(text)) return <a href={caseHref(text)}>{text}</a>;
  return <span class={text.length <= 24 ? 'nowrap' : ''}>{text}</span>;
}

function Exports({ name, fetchAs }: { name: string; fetchAs: (format: Format) => Promise<Response> }) {
  const [state, setState] = useState<{ busy: string | null; problem: Problem | null }>({ busy: null, problem: null });
  const save = (format: Format) => {
    setState({ busy: format.word, problem: null });
    fetchAs(format)
      .then((response) => response.blob())
      .then((blob) => {
        saveBlob(`${name}.${format.ending}`, blob);
        setState({ busy: null, problem: null });
      })
      .catch((error: unknown) => setState({ busy: null, problem: asProblem(error) }));
  };
  return (
    <div role="group" aria-label="Save the whole answer" class="form-acts">
      {FORMATS.map((format) => (
        <button
          key={format.word}
          type="button"
          class="button small"
          disabled={state.busy !== null}
          onClick={() => save(format)}
        >
          <Icon name="save" />
          {state.busy === format.word ? 'Saving…' : format.word}
        </button>
      ))}
      {state.problem && <ProblemPanel problem={state.problem} />}
    </div>
  );
}
