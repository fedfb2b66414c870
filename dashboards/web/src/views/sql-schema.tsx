// The tables and their columns; a column is put into the statement by its button.

import type { Schema } from './sql-editor';

export function SchemaBrowser({ schema, insert }: { schema: Schema; insert: (text: string) => void }) {
  return (
    <section class="schema" aria-labelledby="schema-head">
      <h2 id="schema-head">Tables</h2>
      {schema.length === 0 && <p class="quiet small">They are not known here yet.</p>}
      {schema.map((table) => (
        <details key={table.name}>
          <summary>{table.name}</summary>
          <ul>
            {table.columns.map((column) => (
              <li key={column.name}>
                <button type="button" onClick={() => insert(column.name)} aria-label={`Insert ${column.name}`}>
                  {column.name}
                </button>
                <span class="quiet">{typeWord(column.type)}</span>
              </li>
            ))}
          </ul>
        </details>
      ))}
    </section>
  );
}

/** Types as the engine names them, shorter. */
function typeWord(type: string): string {
  if (/^Timestamp/.test(type)) return 'time';
  if (/^Utf8/.test(type)) return 'text';
  if (/^U?Int/.test(type)) return 'integer';
  return type.replace(/\(.*/, '').toLowerCase();
}
