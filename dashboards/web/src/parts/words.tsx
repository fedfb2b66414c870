// Small words that stand in many views: severity, standing, finality, times, names of parties and items.

import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Alert, Finality, Parties, Party, Severity } from '../api/types';
import { live } from '../api/live';
import { itemHref, partsOf } from '../model/key';
import { sentence, shortHex, spaced } from '../model/short';
import { agesUntil, span, timeText } from '../model/time';
import { clock } from '../settings';
import { useStore } from '../store';
import { Icon, SeverityShape } from './icon';

export function SeverityWord({ severity }: { severity: Severity }) {
  return (
    <span class={`severity s-${severity}`}>
      <SeverityShape severity={severity} />
      {sentence(severity)}
    </span>
  );
}

export function FinalityWord({ finality }: { finality: Finality }) {
  return (
    <span class={`badge ${finality === 'final' ? 'final' : 'provisional'}`}>
      {finality === 'final' ? 'Final' : 'Provisional'}
    </span>
  );
}

export function StandingWord({ alert }: { alert: Pick<Alert, 'standing' | 'explained_as' | 'retroactive'> }) {
  if (alert.standing === 'explained') {
    return <span class="badge explained">Explained{alert.explained_as ? `: ${spaced(alert.explained_as)}` : ''}</span>;
  }
  return (
    <>
      <span class={`badge ${alert.standing}`}>{alert.standing === 'in_grace' ? 'In grace' : 'Standing'}</span>
      {alert.retroactive && <span class="badge">Judged again later</span>}
    </>
  );
}

/** A time on the reader's clock. */
export function Time({ at, toMinute = false }: { at: string; toMinute?: boolean }) {
  const whose = useStore(clock);
  return (
    <time dateTime={at} title={toMinute ? timeText(at, whose) : undefined}>
      {timeText(at, whose, !toMinute)}
    </time>
  );
}

const DAY_SECS = 86_400;

/** Now, as ages are counted: to the head of the chain where that is not of now. */
export function useNow(): number {
  const { headTime } = useStore(live);
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 30_000);
    return () => clearInterval(timer);
  }, []);
  return agesUntil(headTime, now);
}

/** How old something is, beside the 24 hours within which a suspect product is notified. */
export function Age({ at, now, clockRuns }: { at: string; now: number; clockRuns: boolean }) {
  const secs = Math.max(0, (now - Date.parse(at)) / 1000);
  const share = Math.min(1, secs / DAY_SECS);
  const over = secs > DAY_SECS;
  return (
    <span class="age">
      <span class="age-word">{span(secs)}</span>
      {clockRuns && (
        <span class={over ? 'age-day over' : 'age-day'}>
          <svg class="dial" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
            <circle cx="8" cy="8" r="6" />
            <circle
              class="used"
              cx="8"
              cy="8"
              r="6"
              pathLength="100"
              stroke-dasharray={`${share * 100} 100`}
              transform="rotate(-90 8 8)"
            />
          </svg>
          {over ? '24 h over' : `${span(DAY_SECS - secs)} of 24 h left`}
        </span>
      )}
    </span>
  );
}

/** The party behind an address or a GLN, as the registry names it. */
export function partyOf(who: string, parties: Parties | undefined): Party | null {
  if (!parties) return null;
  const direct = parties[who.toLowerCase()] ?? parties[who];
  return direct ?? Object.values(parties).find((one) => one.gln === who) ?? null;
}

/** A party by name, with its address made short; an address that nobody registered says so. */
export function Who({ who, parties, bare = false }: { who: string; parties: Parties | undefined; bare?: boolean }) {
  if (/^0x0{40}$/.test(who)) return <span class="quiet">nobody, the zero address</span>;
  const party = partyOf(who, parties);
  const isAddress = who.startsWith('0x');
  return (
    <span class="who">
      {party ? (
        <a href={`/parties?q=${encodeURIComponent(party.gln)}`}>{party.name}</a>
      ) : isAddress ? (
        <span class="unknown">Not in the registry</span>
      ) : null}
      {party && !bare && (
        <span class="quiet small">
          {spaced(party.role)}
          {party.country ? `, ${party.country}` : ''}
        </span>
      )}
      {(isAddress || !party) && (
        <span class="mono small" title={who}>
          {isAddress ? shortHex(who) : <a href={`/parties?q=${encodeURIComponent(who)}`}>GLN {who}</a>}
        </span>
      )}
    </span>
  );
}

/** An item by its key, as a link: product and serial apart, so that they can be read. */
export function ItemLink({
  item,
  at,
  children,
}: {
  item: string;
  at?: { chain: number; block_number: number; log_index: number };
  children?: ComponentChildren;
}) {
  const parts = partsOf(item);
  return (
    <a class="item-link" href={at ? itemHref(item, at) : itemHref(item)}>
      {children ??
        (parts.kind === 'pack' ? (
          <>
            <span class="mono quiet-link">{parts.gtin}</span> <span class="mono strong">{parts.serial}</span>
          </>
        ) : parts.kind === 'lot' ? (
          <>
            <span class="mono quiet-link">{parts.gtin}</span> lot <span class="mono strong">{parts.lot}</span>
          </>
        ) : parts.kind === 'unit' ? (
          <>
            SSCC <span class="mono strong">{parts.sscc}</span>
          </>
        ) : (
          <span class="mono">{item}</span>
        ))}
    </a>
  );
}

/** What an alert is about, as a link where there is a view of it. */
export function SubjectLink({ alert }: { alert: Pick<Alert, 'item' | 'subject' | 'subject_kind'> }) {
  if (alert.item) return <ItemLink item={alert.item} />;
  const q = encodeURIComponent(alert.subject);
  const view =
    alert.subject_kind === 'contract' ? `/contracts?q=${q}` : alert.subject_kind === 'party' ? `/parties?q=${q}` : null;
  const text = (
    <span class="mono" title={alert.subject}>
      {shortHex(alert.subject)}
    </span>
  );
  return (
    <span>
      {sentence(alert.subject_kind)} {view ? <a href={view}>{text}</a> : text}
    </span>
  );
}

/** Copies a text; says that it did. */
export function Copy({ text, what }: { text: string; what: string }) {
  const [done, setDone] = useState(false);
  const copy = () =>
    void navigator.clipboard.writeText(text).then(
      () => {
        setDone(true);
        setTimeout(() => setDone(false), 2_000);
      },
      () => setDone(false),
    );
  return (
    <button type="button" class="button icon-only" onClick={copy} aria-label={`Copy ${what}`} title={`Copy ${what}`}>
      <Icon name={done ? 'expected' : 'copy'} />
      <span class="hidden" role="status">
        {done ? 'Copied' : ''}
      </span>
    </button>
  );
}
