// The filters of the queue. Each is a parameter of the address.

import { useEffect, useState } from 'preact/hooks';
import type { Rule, Severity } from '../api/types';
import { SEVERITIES } from '../model/buckets';
import { sentence } from '../model/short';
import { SeverityShape } from '../parts/icon';
import { setQuery } from '../router';

/** The parameters that the API takes as they are. */
export const FILTERS = ['severity', 'rule', 'standing', 'finality', 'q', 'members'] as const;

const STANDINGS: [string, string][] = [
  ['standing', 'Standing'],
  ['in_grace', 'In grace'],
  ['explained', 'Explained'],
];
const FINALITIES: [string, string][] = [
  ['final', 'Final'],
  ['provisional', 'Provisional'],
];

/** A list that is filtered anew begins at its top. */
const set = (name: string, value: string | null) => setQuery({ [name]: value, at: null }, 'step');

export function QueueFilters({ query, rules }: { query: URLSearchParams; rules: Rule[] }) {
  const chosen = new Set(query.get('severity')?.split(',') ?? []);
  const toggle = (severity: Severity) => {
    if (!chosen.delete(severity)) chosen.add(severity);
    set('severity', SEVERITIES.filter((one) => chosen.has(one)).join(','));
  };
  return (
    <div class="filters" role="group" aria-label="Filters">
      <fieldset class="chips">
        <legend>Severity</legend>
        {SEVERITIES.map((severity) => (
          <button
            key={severity}
            type="button"
            class={`chip s-${severity}`}
            aria-pressed={chosen.has(severity)}
            onClick={() => toggle(severity)}
          >
            <SeverityShape severity={severity} />
            {sentence(severity)}
          </button>
        ))}
      </fieldset>
      <Choice
        name="rule"
        word="Rule"
        query={query}
        options={rules.map((rule) => [rule.code, `${rule.code} ${rule.title}`])}
      />
      <Choice name="standing" word="Standing" query={query} options={STANDINGS} />
      <Choice name="finality" word="Finality" query={query} options={FINALITIES} />
      <TextFilter query={query} />
      <label class="check">
        <input
          type="checkbox"
          checked={query.get('members') === 'true'}
          onChange={(event) => set('members', event.currentTarget.checked ? 'true' : null)}
        />
        With members
      </label>
      {FILTERS.some((name) => query.get(name)) && (
        <a class="button small" href="/alerts">
          Clear
        </a>
      )}
    </div>
  );
}

function Choice({
  name,
  word,
  query,
  options,
}: {
  name: string;
  word: string;
  query: URLSearchParams;
  options: [string, string][];
}) {
  const value = query.get(name) ?? '';
  // A rule that is not listed, or not yet, is still the one that is asked for.
  const listed =
    value === '' || options.some(([one]) => one === value) ? options : [...options, [value, value] as [string, string]];
  return (
    <label class="field">
      <span>{word}</span>
      <select value={value} onChange={(event) => set(name, event.currentTarget.value || null)}>
        <option value="">Any</option>
        {listed.map(([one, text]) => (
          <option key={one} value={one}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

function TextFilter({ query }: { query: URLSearchParams }) {
  const asked = query.get('q') ?? '';
  const [text, setText] = useState(asked);
  useEffect(() => setText(asked), [asked]);
  const submit = (event: globalThis.Event) => {
    event.preventDefault();
    set('q', text.trim() || null);
  };
  return (
    <form class="field" onSubmit={submit} action="/alerts">
      <label for="queue-text">Item, subject or accused</label>
      <input
        id="queue-text"
        name="q"
        type="search"
        autocomplete="off"
        spellcheck={false}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button type="submit" class="button small">
        Filter
      </button>
    </form>
  );
}
