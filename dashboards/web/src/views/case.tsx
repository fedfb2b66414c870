// One case: what should have come and what came, who is concerned, what proves it, and how the rule reads.

import type { Alert, CaseAnswer, Notice, Parties, Rule } from '../api/types';
import { useAnswer } from '../api/load';
import { live } from '../api/live';
import { positionsOf } from '../model/evidence';
import { caseHref, itemHref } from '../model/key';
import { counted, many, sentence, shortHex, spaced } from '../model/short';
import { Icon } from '../parts/icon';
import { useNames } from '../parts/names';
import { PageHead, Section } from '../parts/page';
import { Prose } from '../parts/prose';
import { Said } from '../parts/said';
import { AsOf, Shown } from '../parts/states';
import { DataTable } from '../parts/table';
import {
  Age,
  Copy,
  FinalityWord,
  ItemLink,
  SeverityWord,
  StandingWord,
  SubjectLink,
  Time,
  Who,
  useNow,
} from '../parts/words';
import type { Names } from '../routes';
import { useStore } from '../store';

export default function Case({ names }: { names: Names }) {
  const key = names['case'] ?? '';
  const answer = useAnswer<CaseAnswer>(`/v1/alerts/${encodeURIComponent(key)}`);
  const { notices } = useStore(live);
  const later = notices.filter(
    (one) =>
      one.case_key === key && one.revision > Math.max(0, ...(answer.value?.notices.map((told) => told.revision) ?? [])),
  );
  return (
    <>
      <CaseHead caseKey={key} alert={answer.value?.alert ?? null} />
      <Shown of={answer} what="the case" lines={8}>
        {(value) => <CaseBody value={value} later={later.at(-1)?.kind ?? null} reload={answer.reload} />}
      </Shown>
    </>
  );
}

/** One heading from the first moment on: the reader's focus stays on it while the case comes. */
function CaseHead({ caseKey, alert }: { caseKey: string; alert: Alert | null }) {
  const title = alert ? `${alert.rule} ${alert.title}` : 'Case';
  return (
    <PageHead
      title={title}
      over={
        <>
          <a href="/alerts">Alerts</a> / case <span class="mono">{shortHex(caseKey)}</span>
        </>
      }
      about={alert ? <SubjectLink alert={alert} /> : <span class="mono wrap">{caseKey}</span>}
    >
      {alert?.item && (
        <a class="button primary" href={itemHref(alert.item, alert)}>
          Pedigree at this event
          <Icon name="right" />
        </a>
      )}
      <Copy text={caseKey} what="the case key" />
    </PageHead>
  );
}

function CaseBody({ value, later, reload }: { value: CaseAnswer; later: Notice['kind'] | null; reload: () => void }) {
  const { alert, rule, members, notices } = value;
  const parties = useNames(value.parties, [alert.accused, alert.victim, alert.witness]);
  const withdrawn = later === 'withdrawn' || (later === null && notices.at(-1)?.kind === 'withdrawn');
  return (
    <article class={withdrawn ? 'case is-withdrawn' : 'case'}>
      {withdrawn && (
        <p class="notice warn" role="status">
          <Icon name="warning" />
          This case is withdrawn: the chain took back the block that it was raised in.
        </p>
      )}
      {later && !withdrawn && (
        <p class="notice" role="status">
          This case has {later === 'final' ? 'become final' : `been ${later}`} since.{' '}
          <button type="button" class="button small" onClick={reload}>
            Show it as it is now
          </button>
        </p>
      )}
      <StateLine alert={alert} withdrawn={withdrawn} />
      <Said expected={alert.expected} came={alert.came} size="large" />
      <div class="two even">
        <Section title="Who is concerned">
          <Concerned alert={alert} parties={parties} />
        </Section>
        <Section title="Evidence">
          <Evidence alert={alert} />
        </Section>
      </div>
      {rule && <RuleText rule={rule} />}
      {(alert.members > 0 || members.length > 0) && <Members alert={alert} members={members} />}
      {alert.root && (
        <p>
          This case hangs under{' '}
          <a href={caseHref(alert.root)}>
            case <span class="mono">{shortHex(alert.root)}</span>
          </a>
          .
        </p>
      )}
      <Section title="What was told of it">
        <Told notices={notices} />
      </Section>
      <AsOf snapshot={value.snapshot} />
    </article>
  );
}

function StateLine({ alert, withdrawn }: { alert: Alert; withdrawn: boolean }) {
  const now = useNow();
  const runs =
    !withdrawn && alert.standing !== 'explained' && (alert.severity === 'critical' || alert.severity === 'high');
  return (
    <div class="state-line">
      <SeverityWord severity={alert.severity} />
      {withdrawn && <span class="badge withdrawn">Withdrawn</span>}
      <StandingWord alert={alert} />
      <FinalityWord finality={alert.finality} />
      <span>
        raised <Time at={alert.raised_at} />
      </span>
      <Age at={alert.raised_at} now={now} clockRuns={runs} />
    </div>
  );
}

const ROLES = [
  ['accused', 'Accused', 'who did what should not have come'],
  ['victim', 'Victim', 'whose goods or identity are concerned'],
  ['witness', 'Witness', 'who saw it'],
] as const;

function Concerned({ alert, parties }: { alert: Alert; parties: Parties }) {
  const told = ROLES.filter(([name]) => alert[name] !== null);
  if (told.length === 0) return <p class="quiet">The event alone does not say who did it.</p>;
  return (
    <dl class="facts">
      {told.map(([name, word, means]) => (
        <div key={name}>
          <dt>
            {word} <span class="quiet small">{means}</span>
          </dt>
          <dd>
            <Who who={alert[name] ?? ''} parties={parties} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Evidence({ alert }: { alert: Alert }) {
  const positions = positionsOf(alert.evidence);
  return (
    <>
      <dl class="facts">
        <div>
          <dt>Raised by</dt>
          <dd>
            chain {alert.chain}, block {counted(alert.block_number)}, log {alert.log_index}
          </dd>
        </div>
        <div>
          <dt>Transaction</dt>
          <dd class="inline">
            <span class="mono wrap">{alert.tx_hash}</span>
            <Copy text={alert.tx_hash} what="the transaction" />
          </dd>
        </div>
        <div>
          <dt>Logs that prove it</dt>
          <dd>
            <ul class="plain">
              {positions.map((one) => {
                const words = (
                  <>
                    chain {one.chain}, block {counted(one.block)}, log {one.log}
                  </>
                );
                return (
                  <li key={`${one.chain}:${one.block}/${one.log}`}>
                    {alert.item ? (
                      <a href={itemHref(alert.item, { chain: one.chain, block_number: one.block, log_index: one.log })}>
                        {words}
                      </a>
                    ) : (
                      words
                    )}
                  </li>
                );
              })}
            </ul>
            {positions.length === 0 && <span class="mono wrap">{alert.evidence || '–'}</span>}
          </dd>
        </div>
      </dl>
    </>
  );
}

function RuleText({ rule }: { rule: Rule }) {
  return (
    <Section title={`Rule ${rule.code}: ${rule.title}`} acts={<span class="quiet small">version {rule.version}</span>}>
      <div class="rule">
        <div>
          <h3>What raises it</h3>
          <p>{sentence(rule.trigger)}.</p>
          <h3>Severity</h3>
          <p>{rule.severity}</p>
        </div>
        <div>
          <h3>What looks like it and is innocent</h3>
          <ul class="innocent">
            {rule.innocent.map((one) => (
              <li key={one}>{sentence(one)}</li>
            ))}
          </ul>
          <h3>Source</h3>
          <p class="quiet">{rule.source}</p>
        </div>
      </div>
    </Section>
  );
}

function Members({ alert, members }: { alert: Alert; members: Alert[] }) {
  const beyond = alert.members - members.length;
  return (
    <Section title="Members" acts={<span class="quiet small">{many(alert.members, 'alert')} with the same cause</span>}>
      {members.length > 0 && (
        <DataTable
          caption="Members of this case"
          quietCaption
          rows={members}
          rowKey={(row) => row.case_key}
          file={`members-${alert.case_key.slice(2, 10)}`}
          columns={[
            { head: 'Severity', cell: (row) => <SeverityWord severity={row.severity} />, text: (row) => row.severity },
            {
              head: 'Rule',
              cell: (row) => (
                <a href={caseHref(row.case_key)}>
                  <span class="mono">{row.rule}</span> {row.title}
                </a>
              ),
              text: (row) => row.rule,
            },
            {
              head: 'About',
              cell: (row) => (row.item ? <ItemLink item={row.item} at={row} /> : <SubjectLink alert={row} />),
              text: (row) => row.item ?? row.subject,
            },
            {
              head: 'Came',
              cell: (row) => (
                <span class="clamp">
                  <Prose text={row.came} />
                </span>
              ),
              text: (row) => row.came,
            },
            {
              head: 'Raised',
              cell: (row) => (
                <span class="nowrap">
                  <Time at={row.raised_at} toMinute />
                </span>
              ),
              text: (row) => row.raised_at,
            },
          ]}
        />
      )}
      {beyond > 0 && <p class="quiet">{many(beyond, 'more alert')} counted and not listed here.</p>}
    </Section>
  );
}

function Told({ notices }: { notices: Notice[] }) {
  if (notices.length === 0) return <p class="quiet">Nothing yet.</p>;
  return (
    <ol class="told">
      {notices.map((notice) => (
        <li key={notice.revision}>
          <span class="mono quiet">{notice.revision}</span>
          <strong>{sentence(spaced(notice.kind))}</strong>
          <SeverityWord severity={notice.severity} />
          {notice.at_block !== null && <span class="quiet">at block {counted(notice.at_block)}</span>}
        </li>
      ))}
    </ol>
  );
}
