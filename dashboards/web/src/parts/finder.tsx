// One field that narrows a list; what is asked stands in the address.

import { useEffect, useState } from 'preact/hooks';
import { setQuery, usePlace } from '../router';

export function Finder({ label, action }: { label: string; action: string }) {
  const { query } = usePlace();
  const asked = query.get('q') ?? '';
  const [text, setText] = useState(asked);
  useEffect(() => setText(asked), [asked]);
  const submit = (event: globalThis.Event) => {
    event.preventDefault();
    setQuery({ q: text.trim() || null }, 'step');
  };
  return (
    <form class="finder" onSubmit={submit} action={action}>
      <div class="labelled">
        <label for="finder">{label}</label>
        <input
          id="finder"
          name="q"
          type="search"
          autocomplete="off"
          spellcheck={false}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </div>
      <button type="submit" class="button">
        Find
      </button>
      {asked && (
        <a class="button" href={action}>
          Clear
        </a>
      )}
    </form>
  );
}
