// The story of one item: what it is now, what was told of it in order, who had it, and what was flagged in place.

import type { Custody, Item, Parties, PedigreeAnswer, Product, Token } from '../api/types';
import { useAnswer } from '../api/load';
import { caseHref, keyPath, lotHref, partsOf } from '../model/key';
import { counted, many, sentence, shortHex, spaced } from '../model/short';
import { span } from '../model/time';
import { AlertCard } from '../parts/alert-card';
import { Fact } from '../parts/fact';
import { Icon } from '../parts/icon';
import { lazy } from '../parts/lazy';
import { useNames } from '../parts/names';
import { PageHead, Section } from '../parts/page';
import { AsOf, Shown } from '../parts/states';
import { DataTable } from '../parts/table';
import { Copy, FinalityWord, ItemLink, SeverityWord, Time, Who, partyOf } from '../parts/words';
import { usePlace } from '../router';
import type { Names } from '../routes';
import { Timeline } from './timeline';

const CustodyGraph = lazy(() => import('./custody-graph'), 'graph');

export default function Pedigree({ names }: { names: Names }) {
  const key = names['key'] ?? '';
  const { query } = usePlace();
  const answer = useAnswer<PedigreeAnswer>(`/v1/items/${keyPath(key)}`);
  const title = titleOf(key);
  return (
    <>
      <PageHead
        title={title}
        over="Pedigree"
        about={
          <span class="mono wrap key">
            {key} <Copy text={key} what="the key" />
          </span>
        }
      >
        <button type="button" class="button" onClick={() => print()}>
          <Icon name="print" />
          Print
        </button>
      </PageHead>
      <Shown of={answer} what="the pedigree" lines={9}>
        {(value) => <Story value={value} at={query.get('at')} />}
      </Shown>
    </>
  );
}

function titleOf(key: string): string {
  const parts = partsOf(key);
  if (parts.kind === 'pack') return `Pack ${parts.serial}`;
  if (parts.kind === 'lot') return `Lot ${parts.lot}`;
  if (parts.kind === 'unit') return `Case or pallet ${parts.sscc}`;
  return parts.kind === 'token' ? 'Unnamed token' : 'Item';
}

function Story({ value, at }: { value: PedigreeAnswer; at: string | null }) {
  const parties = useNames(value.parties, [value.product?.owner ?? null]);
  const alerts = [...value.entries.flatMap((entry) => entry.alerts), ...value.other_alerts];
  return (
    <>
      {value.product && <ProductLine product={value.product} parties={parties} />}
      <AlertSummary alerts={alerts} />
      {value.now.map((item) => (
        <Now key={item.chain} item={item} value={value} parties={parties} />
      ))}
      {value.truncated && (
        <p class="notice warn">
          <Icon name="warning" />
          The story is longer than what is shown. Ask <a href="/sql">SQL</a> for all of it.
        </p>
      )}
      <Section title="Timeline">
        {value.entries.length === 0 ? (
          <p class="quiet">No event names this item itself.</p>
        ) : (
          <Timeline entries={value.entries} custody={value.custody} parties={parties} at={at} />
        )}
      </Section>
      {value.other_alerts.length > 0 && (
        <Section title="Alerts beside the timeline">
          <ul class="plain spaced">
            {value.other_alerts.map((alert) => (
              <li key={alert.case_key}>
                <AlertCard alert={alert} />
              </li>
            ))}
          </ul>
        </Section>
      )}
      {value.custody.length > 0 && (
        <Section title="Custody graph">
          <CustodyGraph value={value} parties={parties} />
        </Section>
      )}
      <Section title="Custody intervals">
        <Intervals custody={value.custody} parties={parties} item={value.item} />
      </Section>
      <Section title="Tokens">
        <Tokens tokens={value.tokens} parties={parties} />
      </Section>
      <AsOf snapshot={value.snapshot} />
    </>
  );
}

function ProductLine({ product, parties }: { product: Product; parties: Parties }) {
  const { name, owner } = product;
  return (
    <p class="product">
      <strong>{name}</strong>
      {owner && (
        <>
          {' '}
          of <a href={`/parties?q=${encodeURIComponent(owner)}`}>{partyOf(owner, parties)?.name ?? `GLN ${owner}`}</a>
        </>
      )}
    </p>
  );
}

function AlertSummary({ alerts }: { alerts: PedigreeAnswer['other_alerts'] }) {
  const open = alerts.filter((alert) => alert.standing !== 'explained');
  if (open.length === 0)
    return (
      <p class="verdict calm">
        <Icon name="expected" />
        Nothing in this story is flagged.
      </p>
    );
  return (
    <div class="verdict flagged">
      <Icon name="warning" />
      <div>
        <p>
          <strong>{many(open.length, 'alert')} in this story.</strong>
        </p>
        <ul class="plain">
          {open.slice(0, 5).map((alert) => (
            <li key={alert.case_key}>
              <SeverityWord severity={alert.severity} />{' '}
              <a href={caseHref(alert.case_key)}>
                <span class="mono">{alert.rule}</span> {alert.title}
              </a>
            </li>
          ))}
        </ul>
        {open.length > 5 && <p class="quiet">{many(open.length - 5, 'more', 'more')}, each in its place below.</p>}
      </div>
    </div>
  );
}

function Now({ item, value, parties }: { item: Item; value: PedigreeAnswer; parties: Parties }) {
  return (
    <dl class="now" aria-label={`State on chain ${item.chain}`}>
      <Fact word="State">
        <strong>{sentence(spaced(item.state))}</strong> <FinalityWord finality={item.finality} />
      </Fact>
      <NowWho item={item} parties={parties} />
      {item.commissioned_at && (
        <Fact word="Commissioned">
          <Time at={item.commissioned_at} />
        </Fact>
      )}
      {item.gtin && (
        <Fact word="GTIN" mono>
          <a href={`/lots?q=${item.gtin}`}>{item.gtin}</a>
        </Fact>
      )}
      {item.lot && (
        <Fact word="Lot" mono>
          {item.gtin ? <a href={lotHref(item.gtin, item.lot)}>{item.lot}</a> : item.lot}
        </Fact>
      )}
      {(item.expiry ?? value.lot?.expiry) && (
        <Fact word="Last day of use" mono>
          {item.expiry ?? value.lot?.expiry}
        </Fact>
      )}
      {item.parent && (
        <Fact word="Inside of">
          <ItemLink item={item.parent} />
        </Fact>
      )}
      <Fact word="Stories told">{item.branches > 1 ? <Contradiction branches={item.branches} /> : 'One'}</Fact>
      <Fact word="Chain">
        {item.chain}, {many(item.steps, 'step')}
      </Fact>
    </dl>
  );
}

function NowWho({ item, parties }: { item: Item; parties: Parties }) {
  const who = [
    ['Possessor', item.possessor],
    ['Owner of the token', item.owner === item.possessor ? null : item.owner],
    ['On the way to', item.consignee],
    ['Commissioned by', item.maker],
  ] as const;
  return (
    <>
      {who.map(
        ([word, one]) =>
          one && (
            <Fact key={word} word={word}>
              <Who who={one} parties={parties} bare />
            </Fact>
          ),
      )}
    </>
  );
}

function Contradiction({ branches }: { branches: number }) {
  return (
    <span class="contradiction">
      <Icon name="branch" />
      {many(branches, 'branch', 'branches')}, which contradict each other
    </span>
  );
}

function Intervals({ custody, parties, item }: { custody: Custody[]; parties: Parties; item: string }) {
  if (custody.length === 0) return <p class="quiet">Nobody is known to have had it.</p>;
  const length = (row: Custody) =>
    row.to_time ? span((Date.parse(row.to_time) - Date.parse(row.from_time)) / 1000) : 'open';
  return (
    <DataTable
      caption="Who had it, owned its token or told of it, and for how long"
      rows={custody}
      rowKey={(row, at) => `${row.branch}${row.role}${row.from_block}${at}`}
      file={`custody-${item}`}
      columns={[
        { head: 'Branch', numeric: true, cell: (row) => row.branch, text: (row) => row.branch },
        { head: 'Role', cell: (row) => sentence(row.role), text: (row) => row.role },
        { head: 'Holder', cell: (row) => <Who who={row.holder} parties={parties} />, text: (row) => row.holder },
        {
          head: 'From',
          cell: (row) => (
            <>
              <Time at={row.from_time} /> <span class="quiet small">block {counted(row.from_block)}</span>
            </>
          ),
          text: (row) => row.from_time,
        },
        {
          head: 'To',
          cell: (row) =>
            row.to_time ? (
              <>
                <Time at={row.to_time} /> <span class="quiet small">block {counted(row.to_block)}</span>
              </>
            ) : (
              'Open'
            ),
          text: (row) => row.to_time,
        },
        {
          head: 'Length',
          numeric: true,
          cell: length,
          text: (row) => (row.to_time ? (Date.parse(row.to_time) - Date.parse(row.from_time)) / 1000 : ''),
        },
        { head: 'Finality', cell: (row) => <FinalityWord finality={row.finality} />, text: (row) => row.finality },
      ]}
    />
  );
}

function Tokens({ tokens, parties }: { tokens: Token[]; parties: Parties }) {
  if (tokens.length === 0) return <p class="quiet">No token stands for it.</p>;
  return (
    <DataTable
      caption="Tokens that stand for this item"
      quietCaption
      rows={tokens}
      rowKey={(row) => `${row.contract}/${row.token_id}`}
      columns={[
        {
          head: 'Contract',
          cell: (row) => (
            <a class="mono" href={`/contracts?q=${row.contract}`} title={row.contract}>
              {shortHex(row.contract)}
            </a>
          ),
        },
        { head: 'Token', cell: (row) => <span class="mono">{row.token_id}</span> },
        { head: 'Standard', cell: (row) => row.standard.toUpperCase().replace('ERC', 'ERC-') },
        {
          head: 'Owner',
          cell: (row) =>
            row.owner ? <Who who={row.owner} parties={parties} /> : row.burnt_block !== null ? 'Burnt' : '–',
        },
        {
          head: 'Minted',
          numeric: true,
          cell: (row) => (row.minted_block !== null ? `block ${counted(row.minted_block)}` : '–'),
        },
        {
          head: 'Burnt',
          numeric: true,
          cell: (row) => (row.burnt_block !== null ? `block ${counted(row.burnt_block)}` : '–'),
        },
        { head: 'Finality', cell: (row) => <FinalityWord finality={row.finality} /> },
      ]}
    />
  );
}
