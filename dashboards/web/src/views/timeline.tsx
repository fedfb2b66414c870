// Events from the first to the last, a lane for each branch; alerts where they were raised, and the silences between.

import { useEffect, useMemo } from 'preact/hooks';
import type { Custody, Entry, Event, Parties } from '../api/types';
import { type GapRow, type Row, type StepRow, rowsOf } from '../model/lanes';
import { counted, sentence, shortHex, spaced } from '../model/short';
import { secondsBetween, span } from '../model/time';
import { AlertCard } from '../parts/alert-card';
import { Fact } from '../parts/fact';
import { Icon } from '../parts/icon';
import { FinalityWord, ItemLink, Time, Who } from '../parts/words';

interface Props {
  entries: Entry[];
  custody: Custody[];
  parties: Parties;
  at: string | null;
}

const placeOf = (event: Event) => `${event.chain}:${event.block_number}/${event.log_index}`;

export function Timeline({ entries, custody, parties, at }: Props) {
  const { rows, lanes } = useMemo(() => rowsOf(entries, custody), [entries, custody]);
  const reach = useMemo(() => reachOf(rows), [rows]);
  useEffect(() => {
    const row = at === null ? null : document.querySelector<HTMLElement>(`[data-place="${CSS.escape(at)}"]`);
    row?.scrollIntoView({ block: 'center', behavior: 'instant' });
  }, [at, rows]);
  return (
    <div class={`timeline lanes-${Math.min(lanes.length, 4)}`}>
      {lanes.length > 1 && (
        <div class="lane-heads" aria-hidden="true">
          <span />
          {lanes.map((lane) => (
            <LaneHead key={lane} lane={lane} />
          ))}
        </div>
      )}
      <ol class="rows" aria-label="Events, the first one first">
        {rows.map((row, index) =>
          row.kind === 'gap' ? (
            <Gap key={`gap${index}`} row={row} />
          ) : (
            <Step
              key={`${placeOf(row.entry.event)}.${row.entry.event.sub_index}.${row.entry.event.kind}`}
              row={row}
              column={lanes.indexOf(row.lane)}
              index={index}
              lanes={lanes}
              reach={reach}
              parties={parties}
              here={placeOf(row.entry.event) === at}
            />
          ),
        )}
      </ol>
    </div>
  );
}

interface Reach {
  first: number;
  last: number;
}

/** From which row to which a branch is told. */
function reachOf(rows: Row[]): Map<number, Reach> {
  const reach = new Map<number, Reach>();
  rows.forEach((row, index) => {
    if (row.kind === 'gap') return;
    const known = reach.get(row.lane);
    if (known) known.last = index;
    else reach.set(row.lane, { first: index, last: index });
  });
  return reach;
}

/** The line of a branch runs from its first event to its last. */
function partOfLine(reach: Reach | undefined, index: number): string {
  if (!reach || index < reach.first || index > reach.last) return 'silent';
  return `${index === reach.first ? 'begins' : ''} ${index === reach.last ? 'ends' : ''}`;
}

function LaneHead({ lane }: { lane: number }) {
  return (
    <span class={lane === 0 ? 'lane-head provenance' : 'lane-head without'}>
      Branch {lane} <span class="quiet">{lane === 0 ? 'with provenance' : 'without provenance'}</span>
    </span>
  );
}

function Gap({ row }: { row: GapRow }) {
  return (
    <li class="gap">
      <span class="gap-line" aria-hidden="true" />
      <span class="gap-word">{span(row.secs)} without an event</span>
      <span class="gap-line" aria-hidden="true" />
    </li>
  );
}

interface StepProps {
  row: StepRow;
  column: number;
  index: number;
  lanes: number[];
  reach: Map<number, Reach>;
  parties: Parties;
  here: boolean;
}

function Step({ row, column, index, lanes, reach, parties, here }: StepProps) {
  const { event, inside, alerts } = row.entry;
  const tones = [
    event.legal ? '' : 'illegal',
    inside ? 'is-inside' : '',
    here ? 'here' : '',
    row.joined ? 'joined' : '',
    alerts.length > 0 ? 'has-alerts' : '',
  ];
  return (
    <li
      class={`row ${tones.filter(Boolean).join(' ')}`}
      data-place={placeOf(event)}
      aria-current={here ? 'location' : undefined}
    >
      <div class="when">
        {row.joined ? <span class="quiet small same">same transaction</span> : <When event={event} />}
      </div>
      {lanes.map((lane, at) => (
        <div
          key={lane}
          class={`lane ${at === column ? 'mine' : 'pass'} ${lane === 0 ? 'provenance' : 'without'} ${partOfLine(reach.get(lane), index)}`}
        >
          {at === column && (
            <>
              <span class="knot" aria-hidden="true" />
              <EventCard row={row} parties={parties} manyLanes={lanes.length > 1} />
              {alerts.map((alert) => (
                <AlertCard key={alert.case_key} alert={alert} />
              ))}
            </>
          )}
        </div>
      ))}
    </li>
  );
}

function When({ event }: { event: Event }) {
  const apart = event.event_time === null ? null : secondsBetween(event.event_time, event.block_time);
  return (
    <>
      <span class="block-time">
        <Time at={event.block_time} />
      </span>
      <span class="quiet small">
        block {counted(event.block_number)}, log {event.log_index}
      </span>
      {event.event_time !== null && (
        <span class="declared small">
          declared <Time at={event.event_time} />
          {apart !== null && Math.abs(apart) >= 1 && (
            <span class="quiet">
              {' '}
              ({span(Math.abs(apart))} {apart > 0 ? 'before the block' : 'after the block'})
            </span>
          )}
        </span>
      )}
    </>
  );
}

function EventCard({ row, parties, manyLanes }: { row: StepRow; parties: Parties; manyLanes: boolean }) {
  const { event, inside } = row.entry;
  return (
    <div class="event">
      <p class="event-head">
        <strong class="event-kind">{sentence(spaced(event.kind))}</strong>
        {manyLanes && <span class="hidden">on branch {row.lane}</span>}
        {!event.legal && (
          <span class="badge illegal">
            <Icon name="came" />
            {row.opens ? `Does not fit: begins branch ${row.lane}` : 'Does not fit the story'}
          </span>
        )}
        {event.authority !== 'authoritative' && (
          <span class={`badge tier-${event.authority}`}>{sentence(event.authority)} contract</span>
        )}
        <FinalityWord finality={event.finality} />
      </p>
      <Parts event={event} parties={parties} />
      {inside && (
        <p class="inside small">
          <Icon name="inside" />
          while inside of <ItemLink item={inside} />
        </p>
      )}
      <p class="position quiet small">
        tx{' '}
        <span class="mono" title={event.tx_hash}>
          {shortHex(event.tx_hash)}
        </span>
        {event.token_id !== null && (
          <>
            {' '}
            · token{' '}
            <span class="mono">{event.token_id.length > 24 ? `${event.token_id.slice(0, 10)}…` : event.token_id}</span>
          </>
        )}{' '}
        on{' '}
        <a class="mono" href={`/contracts?q=${event.contract}`} title={event.contract}>
          {shortHex(event.contract)}
        </a>
      </p>
    </div>
  );
}

/** Who did it, from whom and to whom: nobody is named twice. */
function Parts({ event, parties }: { event: Event; parties: Parties }) {
  const { from_address: from, to_address: to, actor } = event;
  const who = [
    ['by', actor],
    ['from', from === actor ? null : from],
    ['to', to === actor ? null : to],
  ] as const;
  return (
    <dl class="parts">
      {who.map(
        ([word, one]) =>
          one && (
            <Fact key={word} word={word}>
              <Who who={one} parties={parties} bare />
            </Fact>
          ),
      )}
      {event.parent && (
        <Fact word={event.kind === 'unpacking' ? 'out of' : 'into'}>
          <ItemLink item={event.parent} />
        </Fact>
      )}
      {event.quantity !== null && <Fact word="units">{String(event.quantity)}</Fact>}
      {event.place && (
        <Fact word="at">
          GLN <span class="mono">{event.place}</span>
        </Fact>
      )}
      {event.reason && <Fact word="why">{spaced(event.reason)}</Fact>}
      {event.detail && (
        <Fact word="says">
          <span class="wrap">{event.detail}</span>
        </Fact>
      )}
    </dl>
  );
}
