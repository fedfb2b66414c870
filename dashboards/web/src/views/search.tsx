// What a name could mean: items, lots, parties, contracts and cases that bear it.

import type {
  AlertPage,
  ContractRow,
  ContractsAnswer,
  Item,
  ItemsAnswer,
  LotRow,
  LotsAnswer,
  PartiesAnswer,
  PartyRow,
} from '../api/types';
import { withQuery } from '../api/client';
import { useAnswer } from '../api/load';
import { lotHref } from '../model/key';
import { many, sentence, spaced } from '../model/short';
import { PageHead, Section } from '../parts/page';
import { Empty, Shown } from '../parts/states';
import { DataTable } from '../parts/table';
import { ItemLink } from '../parts/words';
import { usePlace } from '../router';
import { Alerts } from './lot';
import { productName } from './lots';

const SHOWN = '20';

export default function Search() {
  const { query } = usePlace();
  const q = query.get('q')?.trim() ?? '';
  if (q === '')
    return (
      <>
        <PageHead title="Search" />
        <Empty head="Nothing to look for">
          Type an item key, serial, GTIN, lot, GLN, address or case into the box above.
        </Empty>
      </>
    );
  return <Results key={q} q={q} />;
}

function Results({ q }: { q: string }) {
  const items = useAnswer<ItemsAnswer>(withQuery('/v1/items', { q, limit: SHOWN }));
  const alerts = useAnswer<AlertPage>(withQuery('/v1/alerts', { q, limit: SHOWN }));
  const lots = useAnswer<LotsAnswer>(withQuery('/v1/lots', { q, limit: SHOWN }));
  const parties = useAnswer<PartiesAnswer>(withQuery('/v1/parties', { q }));
  const contracts = useAnswer<ContractsAnswer>(q.startsWith('0x') ? '/v1/contracts' : null);
  const found = contracts.value?.contracts.filter((one) => one.contract.includes(q.toLowerCase())) ?? [];
  return (
    <>
      <PageHead
        title="Search"
        about={
          <>
            Everything that bears <span class="mono wrap">{q}</span>
          </>
        }
      />
      <Section title="Items">
        <Shown of={items} what="the items" lines={3}>
          {(value) => <FoundItems items={value.items} />}
        </Shown>
      </Section>
      <Section
        title="Cases"
        acts={
          <a class="more" href={`/alerts?q=${encodeURIComponent(q)}`}>
            In the queue
          </a>
        }
      >
        <Shown of={alerts} what="the cases" lines={3}>
          {(value) => <Alerts alerts={value.alerts} file="cases" />}
        </Shown>
      </Section>
      <Section title="Lots">
        <Shown of={lots} what="the lots" lines={2}>
          {(value) => <FoundLots lots={value.lots} />}
        </Shown>
      </Section>
      <Section title="Parties and contracts">
        <Shown of={parties} what="the parties" lines={2}>
          {(value) => <FoundNames parties={value.parties_list} contracts={found} />}
        </Shown>
      </Section>
    </>
  );
}

const NONE = <p class="quiet">None.</p>;

function FoundItems({ items }: { items: Item[] }) {
  if (items.length === 0) return NONE;
  const lotOf = (row: Item) =>
    row.lot && row.gtin ? (
      <a class="mono" href={lotHref(row.gtin, row.lot)}>
        {row.lot}
      </a>
    ) : (
      '–'
    );
  return (
    <DataTable
      caption="Items"
      quietCaption
      rows={items}
      rowKey={(row, at) => `${row.item}${at}`}
      columns={[
        { head: 'Item', cell: (row) => (row.item ? <ItemLink item={row.item} /> : '–') },
        { head: 'Lot', cell: lotOf },
        { head: 'State', cell: (row) => sentence(spaced(row.state)) },
        { head: 'Branches', numeric: true, cell: (row) => row.branches },
      ]}
    />
  );
}

function FoundLots({ lots }: { lots: LotRow[] }) {
  if (lots.length === 0) return NONE;
  return (
    <ul class="plain">
      {lots.map((one) => (
        <li key={one.gtin + one.lot}>
          <a class="mono" href={lotHref(one.gtin, one.lot)}>
            {one.lot}
          </a>{' '}
          {productName(one.product)} <span class="mono quiet">{one.gtin}</span>
        </li>
      ))}
    </ul>
  );
}

function FoundNames({ parties, contracts }: { parties: PartyRow[]; contracts: ContractRow[] }) {
  if (parties.length + contracts.length === 0) return NONE;
  return (
    <ul class="plain">
      {parties.slice(0, Number(SHOWN)).map((one) => (
        <li key={one.gln}>
          <a href={`/parties?q=${one.gln}`}>{one.name}</a>{' '}
          <span class="quiet">
            {spaced(one.role)}, GLN {one.gln}
          </span>
        </li>
      ))}
      {contracts.map((one) => (
        <li key={one.contract}>
          <a class="mono" href={`/contracts?q=${one.contract}`}>
            {one.contract}
          </a>{' '}
          <span class="quiet">
            {one.tier} contract, {many(one.events, 'event')}
          </span>
        </li>
      ))}
    </ul>
  );
}
