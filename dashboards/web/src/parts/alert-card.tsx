// An alert where it concerns something else: how grave, which rule, what was expected and what came.

import type { Alert } from '../api/types';
import { caseHref } from '../model/key';
import { Said } from './said';
import { SeverityWord, StandingWord } from './words';

export function AlertCard({ alert }: { alert: Alert }) {
  return (
    <div class={`alert-card s-${alert.severity} ${alert.standing === 'explained' ? 'settled' : ''}`}>
      <p class="alert-head">
        <SeverityWord severity={alert.severity} />{' '}
        <a href={caseHref(alert.case_key)}>
          <span class="mono">{alert.rule}</span> {alert.title}
        </a>{' '}
        <StandingWord alert={alert} />
      </p>
      <Said expected={alert.expected} came={alert.came} />
    </div>
  );
}
