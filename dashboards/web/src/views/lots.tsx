// Lots: what was declared, what was made of it, and whether it is recalled.

import type { LotRow, LotsAnswer } from '../api/types';
import { withQuery } from '../api/client';
import { useAnswer } from '../api/load';
import { lotHref } from '../model/key';
import { counted } from '../model/short';
import { Finder } from '../parts/finder';
import { Icon } from '../parts/icon';
import { PageHead } from '../parts/page';
import { AsOf, Empty, Shown } from '../parts/states';
import { DataTable } from '../parts/table';
import { usePlace } from '../router';

const SHOWN = 100;

export const productName = (product: LotRow['product']) =>
  typeof product === 'string' ? product : (product?.name ?? null);

export default function Lots() {
  const { query } = usePlace();
  const q = query.get('q') ?? '';
  const answer = useAnswer<LotsAnswer>(withQuery('/v1/lots', { q, limit: String(SHOWN) }));
  return (
    <>
      <PageHead title="Lots and recalls" about="Where the units of a lot are, and how far a recall reaches." />
      <Finder label="Lot, GTIN or product" action="/lots" />
      <Shown of={answer} what="the lots" lines={8}>
        {(value) =>
          value.lots.length === 0 ? (
            <Empty head={q ? 'No lot has this' : 'No lot yet'}>
              {q ? <a href="/lots">Show all lots</a> : 'Lots come from the registry and from what is commissioned.'}
            </Empty>
          ) : (
            <LotList value={value} />
          )
        }
      </Shown>
    </>
  );
}

function LotList({ value }: { value: LotsAnswer }) {
  return (
    <>
      <DataTable
        caption={value.lots.length >= SHOWN ? `The first ${SHOWN} lots; find others by lot, GTIN or product` : 'Lots'}
        rows={value.lots}
        rowKey={(row) => `${row.gtin}/${row.lot}`}
        file="lots"
        columns={[
          {
            head: 'Lot',
            cell: (row) => (
              <a class="mono strong" href={lotHref(row.gtin, row.lot)}>
                {row.lot}
              </a>
            ),
            text: (row) => row.lot,
          },
          {
            head: 'Product',
            cell: (row) => productName(row.product) ?? <span class="quiet">Not in the registry</span>,
            text: (row) => productName(row.product),
          },
          { head: 'GTIN', cell: (row) => <span class="mono">{row.gtin}</span>, text: (row) => row.gtin },
          {
            head: 'Last day of use',
            cell: (row) => <span class="mono nowrap">{row.expiry ?? '–'}</span>,
            text: (row) => row.expiry,
          },
          { head: 'Declared', numeric: true, cell: (row) => counted(row.declared), text: (row) => row.declared },
          {
            head: 'Commissioned',
            numeric: true,
            cell: (row) => counted(row.commissioned),
            text: (row) => row.commissioned,
          },
          {
            head: 'Recall',
            cell: (row) =>
              row.recalled ? (
                <span class="badge recalled">
                  <Icon name="warning" />
                  Recalled
                </span>
              ) : (
                <span class="quiet">No</span>
              ),
            text: (row) => row.recalled,
          },
        ]}
      />
      <AsOf snapshot={value.snapshot} />
    </>
  );
}
