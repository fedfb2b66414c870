// Tables: a caption, heads that say what they head, and a frame that can be scrolled by keyboard.

import type { ComponentChildren } from 'preact';
import { csvOf } from '../model/csv';
import { saveText } from './save';
import { Icon } from './icon';

export interface Column<T> {
  head: string;
  cell: (row: T) => ComponentChildren;
  /** Plain text for CSV, where the column is exported. */
  text?: (row: T) => unknown;
  numeric?: boolean;
}

interface Props<T> {
  caption: string;
  columns: Column<T>[];
  rows: T[];
  rowKey: (row: T, at: number) => string;
  /** Name of the file; without it there is no export. */
  file?: string;
  /** The caption is said elsewhere on the screen. */
  quietCaption?: boolean;
  rowClass?: (row: T) => string;
}

export function DataTable<T>({ caption, columns, rows, rowKey, file, quietCaption, rowClass }: Props<T>) {
  const exported = columns.filter((column) => column.text);
  const save = () =>
    saveText(
      `${file}.csv`,
      'text/csv',
      csvOf(
        exported.map((one) => one.head),
        rows.map((row) => exported.map((one) => one.text?.(row))),
      ),
    );
  return (
    <div class="table-block">
      <div class="table-frame" role="region" aria-label={caption} tabIndex={0}>
        <table>
          <caption class={quietCaption ? 'hidden' : ''}>{caption}</caption>
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column.head} scope="col" class={column.numeric ? 'numeric' : ''}>
                  {column.head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, at) => (
              <tr key={rowKey(row, at)} class={rowClass?.(row) ?? ''}>
                {columns.map((column) => (
                  <td key={column.head} class={column.numeric ? 'numeric' : ''}>
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {file && rows.length > 0 && (
        <button type="button" class="button small" onClick={save}>
          <Icon name="save" />
          Save as CSV
        </button>
      )}
    </div>
  );
}
