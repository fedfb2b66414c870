// What is open now, where it comes from, what is new, and how far the chains are.

import { useEffect, useMemo, useState } from 'preact/hooks';
import type { AlertPage, Rule, Severity, SystemAnswer } from '../api/types';
import { type Problem, asProblem } from '../api/client';
import { useAnswer } from '../api/load';
import { live } from '../api/live';
import { type Table, askSql } from '../api/sql';
import { type HourCount, SEVERITIES, bucketsOf } from '../model/buckets';
import { caseHref } from '../model/key';
import { counted, many, sentence } from '../model/short';
import { span } from '../model/time';
import { SeverityShape } from '../parts/icon';
import { lazy } from '../parts/lazy';
import { PageHead, Section } from '../parts/page';
import { Prose } from '../parts/prose';
import { AsOf, Empty, ProblemPanel, Shown, Waiting } from '../parts/states';
import { DataTable } from '../parts/table';
import { SeverityWord, SubjectLink, Time, useNow } from '../parts/words';
import { useStore } from '../store';

const CaseChart = lazy(() => import('../parts/chart'), 'chart');

/** Roots by hour: at most a quarter of a year of them, which the chart makes as wide as it needs. */
const BY_HOUR =
  "SELECT date_trunc('hour', raised_at) AS hour, rule, severity, standing, count(*) AS cases FROM alerts " +
  'WHERE root IS NULL GROUP BY 1, 2, 3, 4 ORDER BY 1 DESC LIMIT 8760';

interface Counted extends HourCount {
  rule: string;
  standing: string;
}

function countedOf(table: Table): Counted[] {
  const at = (name: string) => table.columns.findIndex((column) => column.name === name);
  const [hour, rule, severity, standing, cases] = ['hour', 'rule', 'severity', 'standing', 'cases'].map(at);
  return table.rows.map((row) => ({
    hour: String(row[hour ?? 0]),
    rule: String(row[rule ?? 1]),
    severity: String(row[severity ?? 2]) as Severity,
    standing: String(row[standing ?? 3]),
    cases: Number(row[cases ?? 4]),
  }));
}

/** Asked again when the commit moves, and at most every quarter of a minute. */
function useCounts(): { rows: Counted[] | null; problem: Problem | null; retry: () => void } {
  const [state, setState] = useState<{ rows: Counted[] | null; problem: Problem | null }>({
    rows: null,
    problem: null,
  });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    askSql(BY_HOUR, abort.signal).then(
      (table) => setState({ rows: countedOf(table), problem: null }),
      (error: unknown) => !abort.signal.aborted && setState((was) => ({ ...was, problem: asProblem(error) })),
    );
    return () => abort.abort();
  }, [turn]);
  const retry = () => setTurn((was) => was + 1);
  useRefresh(retry);
  return { ...state, retry };
}

const REFRESH_MS = 15_000;

function useRefresh(reload: () => void): void {
  const { snapshot } = useStore(live);
  const [asked, setAsked] = useState({ commit: snapshot?.commit ?? null, ms: Date.now() });
  useEffect(() => {
    if (!snapshot || snapshot.commit === asked.commit) return;
    const wait = Math.max(0, REFRESH_MS - (Date.now() - asked.ms));
    const timer = setTimeout(() => {
      setAsked({ commit: snapshot.commit, ms: Date.now() });
      reload();
    }, wait);
    return () => clearTimeout(timer);
  }, [snapshot, asked]);
}

export default function Overview() {
  const system = useAnswer<SystemAnswer>('/v1/system');
  const newest = useAnswer<AlertPage>('/v1/alerts?limit=8');
  const counts = useCounts();
  useRefresh(system.reload);
  useRefresh(newest.reload);
  return (
    <>
      <PageHead title="Overview" about="What is open, where it comes from, and how far the chains are read." />
      <Shown of={system} what="the state of the system" lines={3}>
        {(answer) => <Open answer={answer} />}
      </Shown>
      <div class="two">
        <Section title="Cases by time">
          {counts.rows ? (
            <Lately rows={counts.rows} />
          ) : counts.problem ? (
            <ProblemPanel problem={counts.problem} retry={counts.retry} />
          ) : (
            <Waiting what="the counts" />
          )}
        </Section>
        <Section title="Open by rule">
          {counts.rows ? (
            <ByRule rows={counts.rows} />
          ) : counts.problem ? (
            <p class="quiet">It is counted by the same question.</p>
          ) : (
            <Waiting what="the counts" />
          )}
        </Section>
      </div>
      <Section
        title="Newest cases"
        acts={
          <a class="more" href="/alerts">
            All alerts
          </a>
        }
      >
        <Shown of={newest} what="the newest cases">
          {(page) => <Newest page={page} />}
        </Shown>
      </Section>
      <Section
        title="Chains"
        acts={
          <a class="more" href="/system">
            System
          </a>
        }
      >
        <Shown of={system} what="the chains" lines={2}>
          {(answer) => <Chains answer={answer} />}
        </Shown>
      </Section>
    </>
  );
}

function Open({ answer }: { answer: SystemAnswer }) {
  return (
    <ul class="tiles" aria-label="Open cases by severity">
      {SEVERITIES.map((severity) => (
        <li key={severity}>
          <a
            class={`tile s-${severity} ${answer.alerts[severity] === 0 ? 'none' : ''}`}
            href={`/alerts?severity=${severity}`}
          >
            <span class="tile-word">
              <SeverityShape severity={severity} />
              {sentence(severity)}
            </span>
            <span class="tile-count">{counted(answer.alerts[severity] ?? 0)}</span>
            <span class="tile-foot">{answer.alerts[severity] === 1 ? 'open case' : 'open cases'}</span>
          </a>
        </li>
      ))}
    </ul>
  );
}

function Lately({ rows }: { rows: Counted[] }) {
  const buckets = useMemo(() => bucketsOf(rows), [rows]);
  if (buckets.starts.length === 0) return <Empty head="No case was raised yet" />;
  const listed = buckets.starts
    .map((start, at) => ({ start, at }))
    .filter(({ at }) => SEVERITIES.some((one) => buckets.counts[one][at]));
  const total = rows.reduce((sum, row) => sum + row.cases, 0);
  const step = span(buckets.stepSecs);
  return (
    <>
      <ul class="legend" aria-hidden="true">
        {SEVERITIES.map((one) => (
          <li key={one}>
            <SeverityShape severity={one} />
            {sentence(one)}
          </li>
        ))}
      </ul>
      <CaseChart
        buckets={buckets}
        summary={`${many(total, 'case')} by time, in steps of ${step}; the table below has the numbers`}
      />
      <details class="twin">
        <summary>The same as a table</summary>
        <DataTable
          caption={`Cases raised, in steps of ${step}`}
          rows={listed.reverse()}
          rowKey={(row) => String(row.start)}
          file="cases-by-time"
          columns={[
            {
              head: 'From',
              cell: (row) => <Time at={new Date(row.start * 1000).toISOString()} />,
              text: (row) => new Date(row.start * 1000).toISOString(),
            },
            ...SEVERITIES.map((one) => ({
              head: sentence(one),
              numeric: true,
              cell: (row: { at: number }) => counted(buckets.counts[one][row.at] ?? 0),
              text: (row: { at: number }) => buckets.counts[one][row.at],
            })),
          ]}
        />
      </details>
    </>
  );
}

function ByRule({ rows }: { rows: Counted[] }) {
  const rules = useAnswer<{ rules: Rule[] }>('/v1/rules');
  const titles = new Map(rules.value?.rules.map((rule) => [rule.code, rule.title]));
  const open = new Map<string, number>();
  for (const row of rows) if (row.standing !== 'explained') open.set(row.rule, (open.get(row.rule) ?? 0) + row.cases);
  const list = [...open].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
  const most = Math.max(1, ...list.map(([, count]) => count));
  if (list.length === 0) return <Empty head="Nothing is open" />;
  return (
    <div class="table-frame bars" role="region" aria-label="Open cases by rule" tabIndex={0}>
      <table>
        <caption class="hidden">Open cases by rule</caption>
        <thead class="hidden">
          <tr>
            <th scope="col">Rule</th>
            <th scope="col">Cases</th>
          </tr>
        </thead>
        <tbody>
          {list.map(([rule, count]) => (
            <tr key={rule}>
              <th scope="row">
                <a href={`/alerts?rule=${encodeURIComponent(rule)}`}>
                  <span class="mono">{rule}</span> {titles.get(rule) ?? ''}
                </a>
              </th>
              <td>
                <div class="bar-cell">
                  <svg
                    class="bar-line"
                    viewBox="0 0 100 6"
                    preserveAspectRatio="none"
                    aria-hidden="true"
                    focusable="false"
                  >
                    <rect width={(count / most) * 100} height="6" rx="1" />
                  </svg>
                  <span class="bar-count">{counted(count)}</span>
                </div>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Newest({ page }: { page: AlertPage }) {
  const now = useNow();
  if (page.alerts.length === 0) return <Empty head="No case yet">Every event so far fits the story before it.</Empty>;
  return (
    <>
      <DataTable
        caption="Newest cases"
        quietCaption
        rows={page.alerts}
        rowKey={(row) => row.case_key}
        columns={[
          { head: 'Severity', cell: (row) => <SeverityWord severity={row.severity} /> },
          {
            head: 'Case',
            cell: (row) => (
              <a class="strong" href={caseHref(row.case_key)}>
                <span class="mono">{row.rule}</span> {row.title}
              </a>
            ),
          },
          { head: 'About', cell: (row) => <SubjectLink alert={row} /> },
          {
            head: 'Came',
            cell: (row) => (
              <span class="clamp">
                <Prose text={row.came} />
              </span>
            ),
          },
          {
            head: 'Raised',
            cell: (row) => (
              <span class="nowrap">
                {span((now - Date.parse(row.raised_at)) / 1000)} ago{' '}
                <span class="quiet small block">
                  <Time at={row.raised_at} toMinute />
                </span>
              </span>
            ),
          },
        ]}
      />
      <AsOf snapshot={page.snapshot} />
    </>
  );
}

function Chains({ answer }: { answer: SystemAnswer }) {
  const now = Date.now();
  return (
    <DataTable
      caption="Chains"
      quietCaption
      rows={answer.chains}
      rowKey={(row) => String(row.chain)}
      columns={[
        { head: 'Chain', cell: (row) => row.chain },
        { head: 'Head', numeric: true, cell: (row) => counted(row.head) },
        { head: 'Time of the head', cell: (row) => (row.head_time ? <Time at={row.head_time} /> : '–') },
        {
          head: 'Lag',
          numeric: true,
          cell: (row) => (row.head_time ? span((now - Date.parse(row.head_time)) / 1000) : '–'),
        },
        { head: 'Final to', numeric: true, cell: (row) => counted(row.finalized) },
        {
          head: 'Not yet final',
          numeric: true,
          cell: (row) => (row.head !== null && row.finalized !== null ? many(row.head - row.finalized, 'block') : '–'),
        },
        { head: 'Dead letters', numeric: true, cell: (row) => counted(row.dead_letters) },
      ]}
    />
  );
}
