// Contracts by the authority that the registry gives them.

import type { ContractRow, ContractsAnswer } from '../api/types';
import { useAnswer } from '../api/load';
import { counted, many, sentence } from '../model/short';
import { Finder } from '../parts/finder';
import { PageHead, Section } from '../parts/page';
import { AsOf, Empty, Shown } from '../parts/states';
import { DataTable } from '../parts/table';
import { Copy } from '../parts/words';
import { usePlace } from '../router';

const TIERS = [
  ['authoritative', 'The registry names them: what they say of a product counts.'],
  ['recognised', 'Partners, bridges and announced successors, which the registry recognises.'],
  ['unknown', 'The registry does not name them. What they claim is kept apart and cannot harm a genuine pack.'],
] as const;

export default function Contracts() {
  const { query } = usePlace();
  const q = (query.get('q') ?? '').toLowerCase();
  const answer = useAnswer<ContractsAnswer>('/v1/contracts');
  return (
    <>
      <PageHead title="Contracts" about="Who may speak of a product is said by the registry alone." />
      <Finder label="Address" action="/contracts" />
      <Shown of={answer} what="the contracts" lines={8}>
        {(value) => {
          const rows = value.contracts.filter((row) => row.contract.includes(q));
          if (rows.length === 0)
            return (
              <Empty head={q ? 'No contract has this address' : 'No contract yet'}>
                {q && <a href="/contracts">Show all contracts</a>}
              </Empty>
            );
          return <ByTier rows={rows} value={value} />;
        }}
      </Shown>
    </>
  );
}

function ByTier({ rows, value }: { rows: ContractRow[]; value: ContractsAnswer }) {
  return (
    <>
      {TIERS.map(([tier, means]) => {
        const mine = rows.filter((row) => row.tier === tier);
        return (
          <Section
            key={tier}
            title={sentence(tier)}
            acts={<span class={`badge tier-${tier}`}>{many(mine.length, 'contract')}</span>}
          >
            <p class="quiet">{means}</p>
            {mine.length > 0 && <ContractTable rows={mine} tier={tier} />}
          </Section>
        );
      })}
      <AsOf snapshot={value.snapshot} />
    </>
  );
}

function ContractTable({ rows, tier }: { rows: ContractRow[]; tier: string }) {
  return (
    <DataTable
      caption={`${sentence(tier)} contracts`}
      quietCaption
      rows={rows}
      rowKey={(row) => `${row.chain}${row.contract}`}
      file={`contracts-${tier}`}
      columns={[
        {
          head: 'Contract',
          cell: (row) => (
            <span class="inline">
              <span class="mono">{row.contract}</span>
              <Copy text={row.contract} what={`address ${row.contract}`} />
            </span>
          ),
          text: (row) => row.contract,
        },
        { head: 'Chain', numeric: true, cell: (row) => row.chain, text: (row) => row.chain },
        { head: 'Events', numeric: true, cell: (row) => counted(row.events), text: (row) => row.events },
        { head: 'Tokens', numeric: true, cell: (row) => counted(row.tokens), text: (row) => row.tokens },
        {
          head: 'Dead letters',
          numeric: true,
          cell: (row) => counted(row.dead_letters),
          text: (row) => row.dead_letters,
        },
        {
          head: 'Alerts',
          numeric: true,
          cell: (row) => (row.alerts > 0 ? <a href={`/alerts?q=${row.contract}`}>{counted(row.alerts)}</a> : '0'),
          text: (row) => row.alerts,
        },
        {
          head: 'Blocks',
          numeric: true,
          cell: (row) => `${counted(row.first_block)} to ${counted(row.last_block)}`,
          text: (row) => `${row.first_block} ${row.last_block}`,
        },
      ]}
    />
  );
}
