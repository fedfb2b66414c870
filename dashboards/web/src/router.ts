// Where the reader is: the address bar is the only place that knows. Links are plain links; clicks on them stay here.

import { Store, useStore } from './store';

export interface Place {
  path: string;
  query: URLSearchParams;
  turn: number;
}

let turn = 0;
const here = (): Place => ({ path: location.pathname, query: new URLSearchParams(location.search), turn: turn++ });
const place = new Store<Place>(here());

export function usePlace(): Place {
  return useStore(place);
}

/** Opens an address of the page as a step of its own. */
export function go(href: string): void {
  history.pushState(null, '', href);
  place.set(here());
  scrollTo(0, 0);
}

/** Puts parameters into the address; no step of its own, unless it is one that the reader wants to take back. */
export function setQuery(changes: Record<string, string | null>, step: 'step' | 'same' = 'same'): void {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === '') query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  const href = location.pathname + (text ? `?${text}` : '') + location.hash;
  if (href === location.pathname + location.search + location.hash) return;
  if (step === 'step') history.pushState(null, '', href);
  else history.replaceState(null, '', href);
  place.set(here());
}

/** Paths that the server answers itself. */
const SERVERS = /^\/(v1|health|ready|metrics|assets)(\/|$)/;

function follow(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  if (!link || link.hasAttribute('download') || (link.target && link.target !== '_self')) return;
  const url = new URL(link.href.toString(), location.href);
  if (url.origin !== location.origin || SERVERS.test(url.pathname)) return;
  if (url.pathname === location.pathname && url.search === location.search && url.hash) return;
  event.preventDefault();
  go(url.pathname + url.search + url.hash);
}

/** Begins to listen to clicks and to the back button. */
export function startRouter(): void {
  document.addEventListener('click', follow);
  addEventListener('popstate', () => place.set(here()));
}
