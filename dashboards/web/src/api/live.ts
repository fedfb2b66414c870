// The stream of notices: what was told since the page was opened, and whether the page still hears anything.

import type { LiveNotice, Snapshot, SystemAnswer } from './types';
import { askJson } from './client';
import { Store } from '../store';

export interface Live {
  /** `waiting` until the first word, `on` while words come, `lost` when the stream is gone and is tried again. */
  state: 'waiting' | 'on' | 'lost';
  /** When the last word came, in milliseconds of this browser's clock. */
  heardMs: number | null;
  snapshot: Snapshot | null;
  /** When the snapshot last changed. */
  movedMs: number | null;
  headTime: string | null;
  notices: LiveNotice[];
}

/** More are not kept: the queue is asked anew long before. */
const NOTICES_KEPT = 500;
/** The server speaks at least every ten seconds. */
const SILENT_MS = 30_000;
const ASK_MS = 20_000;
const RETRY_MS = [2_000, 5_000, 15_000, 60_000];

export const live = new Store<Live>({
  state: 'waiting',
  heardMs: null,
  snapshot: null,
  movedMs: null,
  headTime: null,
  notices: [],
});

const change = (part: Partial<Live>) => live.set({ ...live.get(), ...part });

function heard(snapshot: Snapshot | null): void {
  const now = Date.now();
  const was = live.get().snapshot;
  const same = snapshot !== null && was !== null && JSON.stringify(snapshot) === JSON.stringify(was);
  change({ heardMs: now, ...(snapshot && !same ? { snapshot, movedMs: now } : {}) });
}

let source: EventSource | null = null;
let failures = 0;

function open(): void {
  source?.close();
  source = new EventSource('/v1/alerts/live');
  source.addEventListener('open', () => {
    failures = 0;
    change({ state: 'on', heardMs: Date.now() });
  });
  source.addEventListener('head', (event) => {
    const told = read<{ snapshot: Snapshot }>(event);
    heard(told?.snapshot ?? null);
    change({ state: 'on' });
  });
  source.addEventListener('notice', (event) => {
    const told = read<LiveNotice>(event);
    heard(null);
    if (told) change({ state: 'on', notices: [...live.get().notices, told].slice(-NOTICES_KEPT) });
  });
  source.addEventListener('error', lost);
}

function read<T>(event: globalThis.Event): T | null {
  try {
    return JSON.parse((event as MessageEvent<string>).data) as T;
  } catch {
    return null;
  }
}

function lost(): void {
  change({ state: 'lost' });
  // The browser connects again by itself, unless the server refused: then it is ours to try.
  if (source?.readyState !== EventSource.CLOSED) return;
  const wait = RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)] ?? 60_000;
  setTimeout(open, wait);
}

/** The head's own time is told by the system answer alone; it is also what is heard while the stream is lost. */
async function askSystem(): Promise<void> {
  try {
    const told = await askJson<SystemAnswer>('/v1/system');
    if (live.get().state !== 'on') heard(told.snapshot);
    else if (!live.get().snapshot) heard(told.snapshot);
    const times = told.chains.map((one) => one.head_time).filter((time) => time !== null);
    change({ headTime: times.sort().at(-1) ?? null });
  } catch {
    // The strip already says that the stream is lost.
  }
}

/** Begins to listen. */
export function startLive(): void {
  open();
  void askSystem();
  setInterval(() => void askSystem(), ASK_MS);
  setInterval(() => {
    const { state, heardMs } = live.get();
    if (state === 'on' && heardMs !== null && Date.now() - heardMs > SILENT_MS) change({ state: 'lost' });
  }, 5_000);
}
