// One box for every kind of name: item key, serial, GTIN, GLN, address, case, or what a scanner reads off a pack.

import { useEffect, useRef, useState } from 'preact/hooks';
import type { ContractsAnswer, ItemsAnswer, PartiesAnswer } from '../api/types';
import { askJson, withQuery } from '../api/client';
import { itemHref } from '../model/key';
import { searchHref, targetOf } from '../model/target';
import { go } from '../router';
import { Icon } from '../parts/icon';

/** Is the reader typing somewhere, be it in a shadow root? Then keys are letters. */
export function isTyping(event: KeyboardEvent): boolean {
  const at = event.composedPath()[0];
  if (at instanceof HTMLInputElement) return at.type !== 'checkbox';
  return at instanceof HTMLElement && (at.isContentEditable || /^(TEXTAREA|SELECT)$/.test(at.tagName));
}

export function SearchBox() {
  const input = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
      event.preventDefault();
      input.current?.focus();
      input.current?.select();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
  const submit = (event: globalThis.Event) => {
    event.preventDefault();
    const text = input.current?.value.trim() ?? '';
    if (text === '') return;
    setBusy(true);
    void whereTo(text).then((href) => {
      setBusy(false);
      input.current?.blur();
      go(href);
    });
  };
  return (
    <form class="search" role="search" action="/search" onSubmit={submit} aria-busy={busy}>
      <Icon name="search" />
      <label class="hidden" for="search">
        Search for an item, serial, GTIN, party, address or case
      </label>
      <input
        id="search"
        ref={input}
        name="q"
        type="search"
        autocomplete="off"
        spellcheck={false}
        placeholder="Item, serial, GTIN, address or case"
        aria-keyshortcuts="/"
      />
      <kbd aria-hidden="true">/</kbd>
    </form>
  );
}

/** The view that a name leads to; where several are possible, the list of them. */
async function whereTo(text: string): Promise<string> {
  const target = targetOf(text);
  if (target.kind === 'go') return target.href;
  try {
    if (target.kind === 'address') return (await addressHref(target.address)) ?? searchHref(text);
    const { items } = await askJson<ItemsAnswer>(withQuery('/v1/items', { q: target.text, limit: '2' }));
    const only = items[0];
    if (items.length === 1 && only?.item && (only.serial === target.text || only.item === target.text))
      return itemHref(only.item);
  } catch {
    // The list of results says what went wrong.
  }
  return searchHref(text);
}

async function addressHref(address: string): Promise<string | null> {
  const { parties_list: parties } = await askJson<PartiesAnswer>(withQuery('/v1/parties', { q: address }));
  if (parties.length > 0) return `/parties?q=${address}`;
  const { contracts } = await askJson<ContractsAnswer>('/v1/contracts');
  return contracts.some((one) => one.contract === address) ? `/contracts?q=${address}` : null;
}
