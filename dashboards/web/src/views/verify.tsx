// The trade's most frequent question: is this pack what it says? Never "fake": what is suspect is potentially so.

import { useEffect, useRef, useState } from 'preact/hooks';
import type { Verdict, VerifyAnswer } from '../api/types';
import { type Problem, asProblem, askJson } from '../api/client';
import { gtin14, readCode } from '../model/gs1';
import { itemHref, lotHref } from '../model/key';
import { sentence, spaced } from '../model/short';
import { AlertCard } from '../parts/alert-card';
import { Fact } from '../parts/fact';
import { Icon } from '../parts/icon';
import { useNames } from '../parts/names';
import { PageHead } from '../parts/page';
import { Prose } from '../parts/prose';
import { AsOf, ProblemPanel, Waiting } from '../parts/states';
import { Who } from '../parts/words';
import { setQuery, usePlace } from '../router';
import { type Answers, PackForm } from './verify-form';

const NAMES = ['gtin', 'serial', 'lot', 'expiry'] as const;

interface Asked {
  busy: boolean;
  answer: VerifyAnswer | null;
  problem: Problem | null;
}

export default function Verify() {
  const { query } = usePlace();
  const said = Object.fromEntries(NAMES.map((name) => [name, query.get(name) ?? ''])) as unknown as Answers;
  const ready = said.gtin !== '' && said.serial !== '';
  const [asked, setAsked] = useState<Asked>({ busy: ready, answer: null, problem: null });
  const [turn, setTurn] = useState(0);
  const answerHead = useRef<HTMLHeadingElement>(null);
  const question = ready
    ? JSON.stringify({
        gtin: gtin14(said.gtin) ?? said.gtin,
        serial: said.serial,
        ...(said.lot ? { lot: said.lot } : {}),
        ...(said.expiry ? { expiry: said.expiry } : {}),
      })
    : null;
  useEffect(() => {
    if (question === null) {
      setAsked({ busy: false, answer: null, problem: null });
      return;
    }
    const abort = new AbortController();
    setAsked({ busy: true, answer: null, problem: null });
    askJson<VerifyAnswer>('/v1/verify', { body: question, signal: abort.signal }).then(
      (answer) => setAsked({ busy: false, answer, problem: null }),
      (error: unknown) => !abort.signal.aborted && setAsked({ busy: false, answer: null, problem: asProblem(error) }),
    );
    return () => abort.abort();
  }, [question, turn]);
  useEffect(() => {
    if (asked.answer && turn > 0) answerHead.current?.focus();
  }, [asked.answer]);
  const submit = (form: Answers) => {
    setTurn((was) => was + 1);
    setQuery({ ...form }, 'step');
  };
  return (
    <>
      <PageHead
        title="Verify a pack"
        about="Asks whether a pack with these data was made, and whether anything about it is open."
      />
      <PackForm key={question ?? ''} start={said} read={readCode} submit={submit} />
      <div aria-live="polite">
        {asked.busy && <Waiting what="the answer" lines={3} />}
        {asked.problem && <ProblemPanel problem={asked.problem} retry={() => setTurn((was) => was + 1)} />}
        {asked.answer && <Result answer={asked.answer} head={answerHead} />}
      </div>
    </>
  );
}

const WORDS: Record<Verdict, { head: string; lead: string; icon: string }> = {
  verified: {
    head: 'Verified',
    lead: 'A pack with these data was made by whom the registry names, and nothing about it is open.',
    icon: 'expected',
  },
  suspect: {
    head: 'Potential suspect falsification',
    lead: 'Do not supply this pack. Keep it apart and have it looked into. Most of such answers have a technical cause: this one is not yet a finding.',
    icon: 'warning',
  },
  not_verified: {
    head: 'Not verified',
    lead: 'The pack is known, but it is not in a state in which it may be supplied.',
    icon: 'came',
  },
  unknown: {
    head: 'Unknown',
    lead: 'No pack with this product code and serial number is known. Check what was typed or scanned, then ask the manufacturer.',
    icon: 'nothing',
  },
};

function Result({ answer, head }: { answer: VerifyAnswer; head: { current: HTMLHeadingElement | null } }) {
  const words = WORDS[answer.verdict] ?? WORDS.unknown;
  const open = answer.alerts.filter((alert) => alert.standing !== 'explained');
  return (
    <section class={`answer ${answer.verdict}`} aria-labelledby="answer-head">
      <h2 id="answer-head" ref={head} tabIndex={-1}>
        <Icon name={words.icon} />
        {words.head}
      </h2>
      <p class="lead">{words.lead}</p>
      {answer.reasons.length > 0 && (
        <ul class="reasons">
          {answer.reasons.map((reason) => (
            <li key={reason.code + reason.text}>
              <Prose text={reason.text} />
            </li>
          ))}
        </ul>
      )}
      <PackFacts answer={answer} />
      {open.map((alert) => (
        <AlertCard key={alert.case_key} alert={alert} />
      ))}
      <AsOf snapshot={answer.snapshot} />
    </section>
  );
}

function PackFacts({ answer }: { answer: VerifyAnswer }) {
  const { product, lot } = answer;
  const parties = useNames(answer.parties, [product?.owner ?? null]);
  const now = answer.now[0];
  return (
    <dl class="facts">
      {product && (
        <Fact word="Product">
          <strong>{product.name}</strong>
          {product.owner && (
            <>
              {' '}
              of <Who who={product.owner} parties={parties} bare />
            </>
          )}
        </Fact>
      )}
      {lot && now?.gtin && (
        <Fact word="Lot">
          <a class="mono" href={lotHref(now.gtin, lot.lot)}>
            {lot.lot}
          </a>
          {lot.expiry && (
            <>
              {' '}
              last day of use <span class="mono">{lot.expiry}</span>
            </>
          )}
        </Fact>
      )}
      {now && (
        <Fact word="State">
          {sentence(spaced(now.state))}
          {now.possessor && (
            <>
              , with <Who who={now.possessor} parties={parties} bare />
            </>
          )}
        </Fact>
      )}
      {now && (
        <Fact word="Story">
          <a href={itemHref(answer.item)}>Pedigree of this pack</a>
        </Fact>
      )}
    </dl>
  );
}
