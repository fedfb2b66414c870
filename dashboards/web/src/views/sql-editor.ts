// CodeMirror with SQL, in the colours of the page. It stands in a shadow root: there its styles are adopted sheets, which
// the content policy allows; in the document they would be a style element, which it does not.

import { autocompletion, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { HighlightStyle, bracketMatching, syntaxHighlighting } from '@codemirror/language';
import { PostgreSQL, sql } from '@codemirror/lang-sql';
import { Compartment, EditorState, Prec } from '@codemirror/state';
import { EditorView, drawSelection, highlightActiveLine, keymap, lineNumbers, placeholder } from '@codemirror/view';
import { tags } from '@lezer/highlight';

export type Schema = { name: string; columns: { name: string; type: string }[] }[];

export interface Editor {
  text: () => string;
  put: (text: string) => void;
  insert: (text: string) => void;
  teach: (schema: Schema) => void;
  close: () => void;
}

const COLOURS = HighlightStyle.define([
  { tag: tags.keyword, color: 'var(--accent)', fontWeight: '600' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--good)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--high)' },
  { tag: tags.comment, color: 'var(--ink-quiet)', fontStyle: 'italic' },
  { tag: tags.typeName, color: 'var(--low)' },
]);

const LOOK = EditorView.theme({
  '&': { fontSize: '0.9375rem', color: 'var(--ink)', backgroundColor: 'var(--surface)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', minHeight: '11rem', maxHeight: '26rem', lineHeight: '1.55' },
  '.cm-content': { caretColor: 'var(--ink)', padding: '0.6rem 0' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)', borderLeftWidth: '2px' },
  '.cm-gutters': { backgroundColor: 'var(--raised)', color: 'var(--ink-quiet)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in srgb, var(--accent) 7%, transparent)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    background: 'color-mix(in srgb, var(--accent) 28%, transparent)',
  },
  '&.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--accent-soft)', outline: '1px solid var(--accent)' },
  '.cm-placeholder': { color: 'var(--ink-quiet)' },
  '.cm-tooltip': { backgroundColor: 'var(--surface)', border: '1px solid var(--line-strong)', color: 'var(--ink)' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--accent)', color: 'var(--on-accent)' },
});

function language(schema: Schema) {
  const tables = Object.fromEntries(
    schema.map((table) => [
      table.name,
      table.columns.map((column) => ({ label: column.name, type: 'property', detail: column.type })),
    ]),
  );
  return sql({ dialect: PostgreSQL, schema: tables, upperCaseKeywords: true });
}

/**
 * Text typed over a selection. Left to itself the browser keeps the look of what it replaces in a style attribute, which
 * the content policy refuses with a report.
 */
const typeOverSelection = EditorView.domEventHandlers({
  beforeinput: (event, view) => {
    if (event.inputType !== 'insertText' || event.data === null || view.composing || view.state.selection.main.empty)
      return false;
    event.preventDefault();
    view.dispatch(
      view.state.update(view.state.replaceSelection(event.data), { userEvent: 'input.type', scrollIntoView: true }),
    );
    return true;
  },
});

/** An editor in a box; `run` is what Ctrl+Enter does. */
export function startEditor(box: HTMLElement, text: string, run: () => void): Editor {
  const known = new Compartment();
  const runs = { key: 'Mod-Enter', run: () => (run(), true) };
  const root = box.shadowRoot ?? box.attachShadow({ mode: 'open' });
  const view = new EditorView({
    parent: root,
    root,
    state: EditorState.create({
      doc: text,
      extensions: [
        Prec.highest(keymap.of([runs])),
        lineNumbers(),
        history(),
        drawSelection(),
        highlightActiveLine(),
        bracketMatching(),
        autocompletion(),
        known.of(language([])),
        syntaxHighlighting(COLOURS),
        keymap.of([...completionKeymap, ...historyKeymap, ...defaultKeymap]),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ 'aria-label': 'SQL statement' }),
        placeholder('SELECT …'),
        typeOverSelection,
        LOOK,
      ],
    }),
  });
  return {
    text: () => view.state.doc.toString(),
    put: (next) => {
      if (next !== view.state.doc.toString())
        view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next } });
    },
    insert: (piece) => {
      view.dispatch(view.state.replaceSelection(piece));
      view.focus();
    },
    teach: (schema) => view.dispatch({ effects: known.reconfigure(language(schema)) }),
    close: () => view.destroy(),
  };
}
