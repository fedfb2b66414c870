// The queue of alerts: filters in the address, the keyboard, and new cases offered rather than pushed.

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Alert, AlertPage, LiveNotice, Parties, Rule } from '../api/types';
import { type Problem, asProblem, askJson, withQuery } from '../api/client';
import { keep, recall, useAnswer } from '../api/load';
import { live } from '../api/live';
import { csvOf } from '../model/csv';
import { caseHref } from '../model/key';
import { counted, many } from '../model/short';
import { isTyping } from '../frame/search-box';
import { Icon } from '../parts/icon';
import { useNames } from '../parts/names';
import { PageHead } from '../parts/page';
import { saveText } from '../parts/save';
import { AsOf, Empty, ProblemPanel, Waiting } from '../parts/states';
import { useNow } from '../parts/words';
import { go, setQuery, usePlace } from '../router';
import { useStore } from '../store';
import { QueueEntry } from './queue-entry';
import { FILTERS, QueueFilters } from './queue-filters';

const PAGE = '50';

interface Pages {
  path: string;
  pages: AlertPage[];
  problem: Problem | undefined;
  busy: boolean;
}

/** The pages of one set of filters. Pages that were loaded are remembered, so that the way back ends where it began. */
function usePages(path: string) {
  const memory = `pages:${path}`;
  const [state, setState] = useState<Pages>({
    path,
    pages: recall<AlertPage[]>(memory) ?? [],
    problem: undefined,
    busy: true,
  });
  const abort = useRef<AbortController | null>(null);
  const load = (pages: AlertPage[], after: string | null) => {
    abort.current?.abort();
    const mine = new AbortController();
    abort.current = mine;
    const shown = pages.length > 0 ? pages : (recall<AlertPage[]>(memory) ?? []);
    setState({ path, pages: shown, problem: undefined, busy: true });
    const address = after === null ? path : `${path}&after=${encodeURIComponent(after)}`;
    askJson<AlertPage>(address, { signal: mine.signal }).then(
      (page) => {
        const next = [...pages, page];
        keep(memory, next);
        setState({ path, pages: next, problem: undefined, busy: false });
      },
      (error: unknown) =>
        !mine.signal.aborted && setState({ path, pages: shown, problem: asProblem(error), busy: false }),
    );
  };
  useEffect(() => {
    const known = recall<AlertPage[]>(memory);
    if (known && known.length > 1) setState({ path, pages: known, problem: undefined, busy: false });
    else load([], null);
    return () => abort.current?.abort();
  }, [path]);
  const fresh = state.path === path ? state : { path, pages: [], problem: undefined, busy: true };
  return {
    ...fresh,
    reload: () => load([], null),
    more: () => load(fresh.pages, fresh.pages.at(-1)?.next ?? null),
  };
}

/** Notices that came since the list was asked for: roots that are not in it, and what happened to those that are. */
function useSince(alerts: Alert[], from: number): { fresh: LiveNotice[]; withdrawn: Set<string> } {
  const { notices } = useStore(live);
  return useMemo(() => {
    const listed = new Set(alerts.map((one) => one.case_key));
    const fresh = new Map<string, LiveNotice>();
    const withdrawn = new Set<string>();
    for (const notice of notices.slice(from)) {
      if (notice.kind === 'opened' && !listed.has(notice.case_key) && !notice.alert?.root)
        fresh.set(notice.case_key, notice);
      if (notice.kind === 'opened') withdrawn.delete(notice.case_key);
      if (notice.kind === 'withdrawn') {
        withdrawn.add(notice.case_key);
        fresh.delete(notice.case_key);
      }
    }
    return { fresh: [...fresh.values()], withdrawn };
  }, [alerts, notices, from]);
}

export default function Queue() {
  const { query } = usePlace();
  const filters = Object.fromEntries(FILTERS.map((name) => [name, query.get(name) ?? undefined]));
  const path = withQuery('/v1/alerts', { ...filters, limit: PAGE });
  const pages = usePages(path);
  const alerts = useMemo(() => pages.pages.flatMap((page) => page.alerts), [pages.pages]);
  const told = useMemo<Parties>(
    () => Object.assign({}, ...pages.pages.map((page) => page.parties ?? {})),
    [pages.pages],
  );
  const parties = useNames(
    told,
    alerts.map((one) => one.accused),
  );
  const [from, setFrom] = useState(live.get().notices.length);
  const { fresh, withdrawn } = useSince(alerts, from);
  const rules = useAnswer<{ rules: Rule[] }>('/v1/rules');
  const marks = useMarks(query.get('marked'));
  const at = query.get('at');
  useKeys(alerts, marks.toggle);
  const refresh = () => {
    setFrom(live.get().notices.length);
    pages.reload();
  };
  const now = useNow();
  const total = pages.pages[0]?.total;
  return (
    <>
      <PageHead title="Alerts" about="Cases, newest first. What hangs under one cause is one case with members." />
      <QueueFilters query={query} rules={rules.value?.rules ?? []} />
      <QueueBar total={total} busy={pages.busy && alerts.length > 0} alerts={alerts} marks={marks} />
      <Offer count={fresh.length} take={refresh} />
      {alerts.length === 0 && <InItsPlace pages={pages} filtered={FILTERS.some((name) => query.get(name))} />}
      {alerts.length > 0 && (
        <ol class="queue" aria-label="Cases" aria-busy={pages.busy}>
          {alerts.map((alert) => (
            <QueueEntry
              key={alert.case_key}
              alert={alert}
              parties={parties}
              now={now}
              current={at === alert.case_key}
              withdrawn={withdrawn.has(alert.case_key)}
              marked={marks.has(alert.case_key)}
              mark={() => marks.toggle(alert.case_key)}
            />
          ))}
        </ol>
      )}
      {alerts.length > 0 && pages.problem && <ProblemPanel problem={pages.problem} retry={pages.more} />}
      {pages.pages.at(-1)?.next && (
        <button type="button" class="button" disabled={pages.busy} onClick={pages.more}>
          Show more ({counted((total ?? 0) - alerts.length)} left)
        </button>
      )}
      <AsOf snapshot={pages.pages[0]?.snapshot ?? null} />
    </>
  );
}

/** New cases are announced and wait to be asked for: nothing moves under the reader. */
function Offer({ count, take }: { count: number; take: () => void }) {
  return (
    <div class="fresh" aria-live="polite">
      {count > 0 && (
        <button type="button" class="button primary" onClick={take}>
          Show {many(count, 'new case')}
        </button>
      )}
    </div>
  );
}

function QueueBar({
  total,
  busy,
  alerts,
  marks,
}: {
  total: number | undefined;
  busy: boolean;
  alerts: Alert[];
  marks: Marks;
}) {
  return (
    <div class="queue-bar">
      <p class="queue-count" role="status">
        {total === undefined ? ' ' : many(total, 'case')}
        {busy ? ', asking…' : ''}
      </p>
      <p class="quiet small keys">
        <kbd>j</kbd> <kbd>k</kbd> move, <kbd>Enter</kbd> open, <kbd>x</kbd> mark
      </p>
      <Marked alerts={alerts} marks={marks} />
    </div>
  );
}

/** What stands in the place of a list that is not there. */
function InItsPlace({ pages, filtered }: { pages: Pages & { reload: () => void }; filtered: boolean }) {
  if (pages.problem) return <ProblemPanel problem={pages.problem} retry={pages.reload} />;
  return pages.busy ? <Waiting what="the cases" lines={8} /> : <NoCases filtered={filtered} />;
}

function NoCases({ filtered }: { filtered: boolean }) {
  return filtered ? (
    <Empty head="No case has all of this">
      <a href="/alerts">Show all cases</a>
    </Empty>
  ) : (
    <Empty head="No case">Every event so far fits the story before it.</Empty>
  );
}

interface Marks {
  has: (key: string) => boolean;
  toggle: (key: string) => void;
  clear: () => void;
  count: number;
}

/** Enough of a case key to tell cases apart in an address. */
const MARK = 14;

const marksIn = (text: string | null) => new Set(text?.split(',').filter((one) => one !== ''));

/** What the address says at this moment: keys come faster than drawings. */
const inAddress = (name: string) => new URLSearchParams(location.search).get(name);

function useMarks(text: string | null): Marks {
  const marked = marksIn(text);
  return {
    has: (key) => marked.has(key.slice(0, MARK)),
    toggle: (key) => {
      const latest = marksIn(inAddress('marked'));
      if (!latest.delete(key.slice(0, MARK))) latest.add(key.slice(0, MARK));
      setQuery({ marked: [...latest].join(',') });
    },
    clear: () => setQuery({ marked: null }),
    count: marked.size,
  };
}

function Marked({ alerts, marks }: { alerts: Alert[]; marks: Marks }) {
  if (marks.count === 0) return null;
  const save = () => {
    const head = [
      'case_key',
      'rule',
      'severity',
      'standing',
      'finality',
      'subject',
      'raised_at',
      'expected',
      'came',
      'accused',
      'evidence',
    ] as const;
    const rows = alerts.filter((one) => marks.has(one.case_key)).map((one) => head.map((name) => one[name]));
    saveText('cases.csv', 'text/csv', csvOf([...head], rows));
  };
  return (
    <div class="marked" role="group" aria-label="Marked cases">
      <span>{many(marks.count, 'case')} marked</span>
      <button type="button" class="button small" onClick={save}>
        <Icon name="save" />
        Save as CSV
      </button>
      <button type="button" class="button small" onClick={marks.clear}>
        Clear
      </button>
    </div>
  );
}

/** j and k move, x marks. Enter is the browser's own: the case's link has the focus. */
function useKeys(alerts: Alert[], toggle: (key: string) => void): void {
  useEffect(() => {
    const move = (step: number) => {
      const at = inAddress('at');
      const from = alerts.findIndex((one) => one.case_key === at);
      const to = alerts[from < 0 ? 0 : Math.min(alerts.length - 1, Math.max(0, from + step))];
      if (!to) return;
      setQuery({ at: to.case_key });
      document.getElementById(`case-${to.case_key}`)?.focus();
    };
    const onKey = (event: KeyboardEvent) => {
      if (isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) return;
      const at = inAddress('at');
      if (event.key === 'j') move(1);
      else if (event.key === 'k') move(-1);
      else if (event.key === 'x' && at) toggle(at);
      else if (event.key === 'Enter' && at && document.activeElement === document.body) go(caseHref(at));
      else return;
      event.preventDefault();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [alerts]);
}
