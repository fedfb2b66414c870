// Loads one address of the API for a view: what came last stays while the next is on its way, or could not be had.

import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { type Problem, asProblem, askJson } from './client';

/** What a view has of an answer. `value` may stand beside `problem`: then it is an older one. */
export interface Loaded<T> {
  value: T | undefined;
  problem: Problem | undefined;
  busy: boolean;
  reload: () => void;
}

/** As many answers as a person goes back through. */
const KEPT = 30;
const kept = new Map<string, unknown>();

/** Remembers an answer under its address, so that the back button shows it at once. */
export function keep(path: string, value: unknown): void {
  kept.delete(path);
  kept.set(path, value);
  const oldest = kept.keys().next();
  if (kept.size > KEPT && !oldest.done) kept.delete(oldest.value);
}

/** The answer that is remembered. */
export function recall<T>(path: string): T | undefined {
  return kept.get(path) as T | undefined;
}

interface State<T> {
  path: string | null;
  value: T | undefined;
  problem: Problem | undefined;
  busy: boolean;
}

/** The answer at `path`, asked anew when the path changes; `null` asks nothing. */
export function useAnswer<T>(path: string | null): Loaded<T> {
  const [state, setState] = useState<State<T>>({ path: null, value: undefined, problem: undefined, busy: true });
  const [turn, setTurn] = useState(0);
  const controller = useRef<AbortController | null>(null);
  useEffect(() => {
    if (path === null) return;
    const abort = new AbortController();
    controller.current = abort;
    setState((was) => ({
      path,
      value: recall<T>(path) ?? (was.path === path ? was.value : undefined),
      problem: undefined,
      busy: true,
    }));
    askJson<T>(path, { signal: abort.signal }).then(
      (value) => {
        keep(path, value);
        setState({ path, value, problem: undefined, busy: false });
      },
      (error: unknown) => {
        if (!abort.signal.aborted) setState((was) => ({ ...was, path, problem: asProblem(error), busy: false }));
      },
    );
    return () => abort.abort();
  }, [path, turn]);
  const reload = useCallback(() => setTurn((was) => was + 1), []);
  const mine = state.path === path;
  const value = mine ? state.value : path === null ? undefined : recall<T>(path);
  return { value, problem: mine ? state.problem : undefined, busy: path !== null && (!mine || state.busy), reload };
}
