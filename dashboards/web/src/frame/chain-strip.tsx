// How far the chains are, and whether the page still hears of them.

import { useEffect, useState } from 'preact/hooks';
import { type Live, live } from '../api/live';
import { counted } from '../model/short';
import { span } from '../model/time';
import { useStore } from '../store';

/** A head that stands still for so long is said to stand still. */
const STILL_SECS = 90;

interface Heard {
  tone: 'on' | 'still' | 'lost' | 'waiting';
  word: string;
  more: string;
}

function heardOf({ state, heardMs, movedMs }: Live, nowMs: number): Heard {
  const since = (ms: number | null) => (ms === null ? 0 : (nowMs - ms) / 1000);
  if (state === 'waiting') return { tone: 'waiting', word: 'Connecting', more: '' };
  if (state === 'lost')
    return { tone: 'lost', word: 'Stream lost', more: heardMs === null ? '' : `last word ${span(since(heardMs))} ago` };
  if (movedMs !== null && since(movedMs) > STILL_SECS)
    return { tone: 'still', word: 'Head stands still', more: `for ${span(since(movedMs))}` };
  return { tone: 'on', word: 'Live', more: '' };
}

export function ChainStrip() {
  const told = useStore(live);
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 5_000);
    return () => clearInterval(timer);
  }, []);
  const heard = heardOf(told, Math.max(now, told.heardMs ?? 0));
  return (
    <div class="strip">
      {told.snapshot?.chains.map((one) => (
        <a key={one.chain} class="strip-chain" href="/system">
          <span class="quiet">Chain {one.chain}</span>{' '}
          <span class="mono">{one.head ? counted(one.head.number) : 'none'}</span> <span class="quiet">final to</span>{' '}
          <span class="mono">{one.finalized ? counted(one.finalized.number) : 'none'}</span>
        </a>
      ))}
      <span class={`strip-state ${heard.tone}`} role="status">
        <span class="dot" aria-hidden="true" />
        {heard.word}
        {heard.more && (
          <span class="quiet" aria-live="off">
            {heard.more}
          </span>
        )}
      </span>
    </div>
  );
}
