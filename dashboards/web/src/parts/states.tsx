// The states that every view has beside its contents: loading, empty, failed, forbidden, not found, out of date.

import type { ComponentChildren } from 'preact';
import type { Problem } from '../api/client';
import type { Loaded } from '../api/load';
import type { Snapshot } from '../api/types';
import { counted } from '../model/short';
import { Icon } from './icon';

interface Words {
  head: string;
  hint: string;
}

function wordsOf(problem: Problem): Words {
  if (problem.status === 404)
    return {
      head: 'Not found',
      hint: 'It may have been withdrawn with a block that the chain took back, or the name may be incomplete.',
    };
  if (problem.status === 401 || problem.status === 403)
    return {
      head: 'You may not see this',
      hint: 'Your role does not include it. Whoever runs this rxtrail can widen it.',
    };
  if (problem.status === 429) return { head: 'Too many questions at once', hint: 'Wait a few seconds and ask again.' };
  if (problem.status === 0)
    return { head: 'No answer', hint: 'The page asks the address that it came from; check that rxtrail runs there.' };
  if (problem.status === 503)
    return { head: 'Not ready yet', hint: 'rxtrail is starting or stopping. Ask again in a moment.' };
  if (problem.status >= 400 && problem.status < 500) return { head: 'This could not be asked', hint: '' };
  return { head: 'The answer failed', hint: 'The log of rxtrail has more about it.' };
}

/** A problem in full: it takes the place of the contents. */
export function ProblemPanel({ problem, retry }: { problem: Problem; retry?: (() => void) | undefined }) {
  const words = wordsOf(problem);
  return (
    <div class="state problem" role="alert">
      <Icon
        name={
          problem.status === 403 || problem.status === 401 ? 'lock' : problem.status === 404 ? 'nothing' : 'warning'
        }
      />
      <div>
        <p class="state-head">{words.head}</p>
        {problem.detail && <p class="state-detail">{problem.detail}</p>}
        {words.hint && <p class="quiet">{words.hint}</p>}
        <p class="quiet small">
          <span class="mono">
            {problem.status > 0 ? `${problem.status} ` : ''}
            {problem.code}
          </span>
        </p>
        {retry && (
          <button type="button" class="button" onClick={retry}>
            Ask again
          </button>
        )}
      </div>
    </div>
  );
}

/** Nothing there, said as an answer rather than as a fault. */
export function Empty({ head, children }: { head: string; children?: ComponentChildren }) {
  return (
    <div class="state empty">
      <Icon name="nothing" />
      <div>
        <p class="state-head">{head}</p>
        {children && <div class="quiet">{children}</div>}
      </div>
    </div>
  );
}

/** Grey lines in the place of what comes. */
export function Waiting({ what, lines = 5 }: { what: string; lines?: number }) {
  return (
    <div class="waiting" role="status">
      <span class="hidden">Loading {what}…</span>
      {Array.from({ length: lines }, (_, at) => (
        <span key={at} class="bone" aria-hidden="true" />
      ))}
    </div>
  );
}

/** The contents when they are there; what stands in their place, or above them, when they are not or are old. */
export function Shown<T>({
  of,
  what,
  lines,
  children,
}: {
  of: Loaded<T>;
  what: string;
  lines?: number;
  children: (value: T) => ComponentChildren;
}) {
  if (of.value === undefined) {
    return of.problem ? (
      <ProblemPanel problem={of.problem} retry={of.reload} />
    ) : (
      <Waiting what={what} lines={lines ?? 5} />
    );
  }
  return (
    <div aria-busy={of.busy}>
      {of.problem && (
        <div class="notice warn" role="status">
          <Icon name="warning" />
          <span>This is an older answer: {of.problem.detail || of.problem.title}</span>
          <button type="button" class="button small" onClick={of.reload}>
            Ask again
          </button>
        </div>
      )}
      {children(of.value)}
    </div>
  );
}

/** Which moment of the chains an answer is made of. */
export function AsOf({ snapshot }: { snapshot: Snapshot | null }) {
  if (!snapshot) return null;
  return (
    <p class="as-of">
      As of commit {counted(snapshot.commit)}
      {snapshot.chains.map((one) => (
        <span key={one.chain}>
          {' · '}chain {one.chain}: block {one.head ? counted(one.head.number) : 'none'}, final to{' '}
          {one.finalized ? counted(one.finalized.number) : 'none'}
        </span>
      ))}
    </p>
  );
}
