// What the reader chose for himself: light or dark, and whose clock. It stays in this browser.

import { Store } from './store';

export type Theme = 'system' | 'light' | 'dark';
export type Clock = 'utc' | 'local';

function stored<T extends string>(name: string, allowed: readonly T[], otherwise: T): T {
  try {
    const value = localStorage.getItem(name);
    return allowed.find((one) => one === value) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function remember(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
  } catch {
    // A browser that keeps nothing: the choice holds until the page is closed.
  }
}

export const theme = new Store<Theme>(stored('rxtrail.theme', ['system', 'light', 'dark'], 'system'));
export const clock = new Store<Clock>(stored('rxtrail.clock', ['utc', 'local'], 'utc'));

function wear(): void {
  const chosen = theme.get();
  if (chosen === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = chosen;
}

/** Puts the choices on the page, and keeps them when they change. */
export function startSettings(): void {
  wear();
  theme.watch(() => {
    wear();
    remember('rxtrail.theme', theme.get());
  });
  clock.watch(() => remember('rxtrail.clock', clock.get()));
}

/** Is the page dark at this moment? */
export function isDark(): boolean {
  const chosen = theme.get();
  return chosen === 'dark' || (chosen === 'system' && matchMedia('(prefers-color-scheme: dark)').matches);
}
