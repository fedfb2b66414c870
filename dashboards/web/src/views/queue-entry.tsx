// One case in the queue.

import type { Alert, Parties } from '../api/types';
import { caseHref } from '../model/key';
import { many } from '../model/short';
import { Said } from '../parts/said';
import { Age, FinalityWord, SeverityWord, StandingWord, SubjectLink, Time, Who } from '../parts/words';
import { setQuery } from '../router';

interface Props {
  alert: Alert;
  parties: Parties;
  now: number;
  current: boolean;
  withdrawn: boolean;
  marked: boolean;
  mark: () => void;
}

/** The clock of 24 hours runs for what may be a suspect product. */
function clockRuns(alert: Alert, withdrawn: boolean): boolean {
  return !withdrawn && alert.standing !== 'explained' && (alert.severity === 'critical' || alert.severity === 'high');
}

export function QueueEntry({ alert, parties, now, current, withdrawn, marked, mark }: Props) {
  const name = `${alert.rule} ${alert.title}`;
  const tone = withdrawn ? 'withdrawn' : alert.standing === 'explained' ? 'settled' : '';
  return (
    <li class={`entry s-${alert.severity} ${tone} ${current ? 'current' : ''} ${marked ? 'is-marked' : ''}`}>
      <div class="entry-head">
        <input
          type="checkbox"
          class="mark"
          checked={marked}
          onChange={mark}
          aria-label={`Mark ${name}, ${alert.subject}`}
        />
        <SeverityWord severity={alert.severity} />
      </div>
      <div class="entry-body">
        <div class="entry-title">
          <a
            id={`case-${alert.case_key}`}
            class="case-link"
            href={caseHref(alert.case_key)}
            onFocus={() => setQuery({ at: alert.case_key })}
          >
            <span class="mono">{alert.rule}</span> <span class="entry-name">{alert.title}</span>
          </a>
          <span class="entry-subject">
            <SubjectLink alert={alert} />
          </span>
          {withdrawn && <span class="badge withdrawn">Withdrawn: the chain took its block back</span>}
        </div>
        <Said expected={alert.expected} came={alert.came} />
      </div>
      <div class="entry-facts">
        {alert.accused && alert.accused !== alert.subject && (
          <div class="entry-accused">
            <span class="quiet small">Accused</span> <Who who={alert.accused} parties={parties} bare />
          </div>
        )}
        <div class="badges">
          <StandingWord alert={alert} />
          <FinalityWord finality={alert.finality} />
          {alert.root !== null && <span class="badge">Member</span>}
          {alert.members > 0 && <span class="badge members">+ {many(alert.members, 'member')}</span>}
        </div>
      </div>
      <div class="entry-age">
        <Age at={alert.raised_at} now={now} clockRuns={clockRuns(alert, withdrawn)} />
        <span class="quiet small nowrap">
          <Time at={alert.raised_at} toMinute />
        </span>
      </div>
    </li>
  );
}
