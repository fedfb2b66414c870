// One lot: its states, its holders, its recalls and how far they reach, its alerts.

import type { Alert, LotAnswer, Parties, Recall } from '../api/types';
import { useAnswer } from '../api/load';
import { caseHref, lotHref } from '../model/key';
import { counted, many, sentence, spaced } from '../model/short';
import { Fact } from '../parts/fact';
import { Icon } from '../parts/icon';
import { PageHead, Section } from '../parts/page';
import { Prose } from '../parts/prose';
import { AsOf, Shown } from '../parts/states';
import { DataTable } from '../parts/table';
import { ItemLink, SeverityWord, StandingWord, SubjectLink, Time, Who, partyOf } from '../parts/words';
import type { Names } from '../routes';
import { productName } from './lots';

/** States in which a unit can no longer reach a patient. */
const ENDED = new Set(['dispensed', 'destroyed', 'inactive', 'decommissioned', 'exported', 'repackaged']);

export default function Lot({ names }: { names: Names }) {
  const { gtin = '', lot = '' } = names;
  const answer = useAnswer<LotAnswer>(`/v1${lotHref(gtin, lot)}`);
  return (
    <>
      <PageHead
        title={`Lot ${lot}`}
        over={<a href="/lots">Lots and recalls</a>}
        about={
          <>
            GTIN <span class="mono">{gtin}</span>
          </>
        }
      />
      <Shown of={answer} what="the lot" lines={8}>
        {(value) => <Body value={value} />}
      </Shown>
    </>
  );
}

function Body({ value }: { value: LotAnswer }) {
  const parties = value.parties ?? {};
  const within = value.states.filter((one) => !ENDED.has(one.state)).reduce((sum, one) => sum + one.items, 0);
  return (
    <>
      <LotFacts value={value} within={within} />
      {value.recalls.length > 0 && <Reach value={value} parties={parties} within={within} />}
      <div class="two even">
        <Section title="States">
          <DataTable
            caption="Units by state"
            quietCaption
            rows={value.states}
            rowKey={(row) => row.state}
            file={`states-${value.gtin}-${value.lot}`}
            columns={[
              { head: 'State', cell: (row) => sentence(spaced(row.state)), text: (row) => row.state },
              { head: 'Units', numeric: true, cell: (row) => counted(row.items), text: (row) => row.items },
            ]}
          />
        </Section>
        <Section title="Holders">
          <Holders value={value} parties={parties} />
        </Section>
      </div>
      <Section title="Alerts">
        <Alerts alerts={value.alerts} file={`alerts-${value.gtin}-${value.lot}`} />
      </Section>
      <AsOf snapshot={value.snapshot} />
    </>
  );
}

function LotFacts({ value, within }: { value: LotAnswer; within: number }) {
  const above = value.declared !== null && value.commissioned > Number(value.declared);
  return (
    <dl class="now" aria-label="The lot">
      <Fact word="Product">
        <strong>{productName(value.product) ?? 'Not in the registry'}</strong>
      </Fact>
      <Fact word="Last day of use" mono>
        {value.expiry ?? '–'}
      </Fact>
      <Fact word="Declared">{value.declared === null ? 'Not declared' : counted(value.declared)}</Fact>
      <Fact word="Commissioned">
        {counted(value.commissioned)}{' '}
        {above && (
          <span class="contradiction">
            <Icon name="warning" />
            more than declared
          </span>
        )}
      </Fact>
      <Fact word="Still on the way to patients">
        <strong>{counted(within)}</strong>
      </Fact>
      <Fact word="Recall">
        {value.recalls.length > 0 ? (
          <span class="badge recalled">
            <Icon name="warning" />
            Recalled
          </span>
        ) : (
          'None'
        )}
      </Fact>
    </dl>
  );
}

function Reach({ value, parties, within }: { value: LotAnswer; parties: Parties; within: number }) {
  return (
    <Section title="How far the recall reaches">
      <p>
        {many(within, 'unit')} of {counted(value.commissioned)} could still reach a patient; the holders below have
        them. After the recall took effect,{' '}
        {value.after_recall.length === 0
          ? 'none of the units that it covers moved'
          : `${many(value.after_recall.length, 'step')} of units that it covers came`}
        .
      </p>
      <DataTable
        caption="Recalls"
        rows={value.recalls}
        rowKey={(row) => row.id}
        columns={[
          { head: 'Recall', cell: (row) => <span class="mono">{row.id}</span> },
          { head: 'Class', cell: (row) => row.class ?? '–' },
          { head: 'Serials', cell: (row) => <span class="mono">{serialsOf(row)}</span> },
          { head: 'Market', cell: (row) => row.market ?? 'All' },
          { head: 'In effect from', cell: (row) => <Time at={row.effective_at} /> },
          { head: 'Resolved', cell: (row) => (row.resolved_at ? <Time at={row.resolved_at} /> : 'Not yet') },
        ]}
      />
      {value.after_recall.length > 0 && (
        <DataTable
          caption="What came after the recall"
          rows={value.after_recall}
          rowKey={(row, at) => `${row.item}${at}`}
          file={`after-recall-${value.gtin}-${value.lot}`}
          columns={[
            { head: 'Unit', cell: (row) => <ItemLink item={row.item} />, text: (row) => row.item },
            { head: 'Step', cell: (row) => sentence(spaced(row.kind)), text: (row) => row.kind },
            {
              head: 'By',
              cell: (row) => (row.actor ? <Who who={row.actor} parties={parties} bare /> : '–'),
              text: (row) => row.actor,
            },
            {
              head: 'Time',
              cell: (row) => (
                <span class="nowrap">
                  <Time at={row.block_time} />
                </span>
              ),
              text: (row) => row.block_time,
            },
          ]}
        />
      )}
    </Section>
  );
}

function Holders({ value, parties }: { value: LotAnswer; parties: Parties }) {
  if (value.holders.length === 0) return <p class="quiet">Nobody holds a unit of it.</p>;
  return (
    <DataTable
      caption="Who has the units, and in which state"
      quietCaption
      rows={value.holders}
      rowKey={(row, at) => `${row.holder}${row.state}${at}`}
      file={`holders-${value.gtin}-${value.lot}`}
      columns={[
        {
          head: 'Holder',
          cell: (row) => (row.holder ? <Who who={row.holder} parties={parties} /> : <span class="quiet">Nobody</span>),
          text: (row) => row.holder,
        },
        {
          head: 'GLN',
          cell: (row) => <span class="mono">{(row.holder && partyOf(row.holder, parties)?.gln) || '–'}</span>,
          text: (row) => row.holder && partyOf(row.holder, parties)?.gln,
        },
        { head: 'State', cell: (row) => sentence(spaced(row.state)), text: (row) => row.state },
        { head: 'Units', numeric: true, cell: (row) => counted(row.items), text: (row) => row.items },
      ]}
    />
  );
}

export function Alerts({ alerts, file }: { alerts: Alert[]; file: string }) {
  if (alerts.length === 0) return <p class="quiet">Nothing is flagged.</p>;
  return (
    <DataTable
      caption="Alerts"
      quietCaption
      rows={alerts}
      rowKey={(row) => row.case_key}
      file={file}
      columns={[
        { head: 'Severity', cell: (row) => <SeverityWord severity={row.severity} />, text: (row) => row.severity },
        {
          head: 'Case',
          cell: (row) => (
            <a class="strong" href={caseHref(row.case_key)}>
              <span class="mono">{row.rule}</span> {row.title}
            </a>
          ),
          text: (row) => row.rule,
        },
        { head: 'About', cell: (row) => <SubjectLink alert={row} />, text: (row) => row.subject },
        {
          head: 'Came',
          cell: (row) => (
            <span class="clamp">
              <Prose text={row.came} />
            </span>
          ),
          text: (row) => row.came,
        },
        { head: 'Standing', cell: (row) => <StandingWord alert={row} />, text: (row) => row.standing },
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
  );
}

/** Which serials a recall covers. */
function serialsOf({ serial_from, serial_to }: Recall) {
  if (serial_from === null && serial_to === null) return 'All';
  return `${serial_from ?? 'the first'} to ${serial_to ?? 'the last'}`;
}
