// Parties of the registry, with their licences, what they hold, and what is open against them.

import { useState } from 'preact/hooks';
import type { Licence, PartiesAnswer, PartyRow } from '../api/types';
import { withQuery } from '../api/client';
import { useAnswer } from '../api/load';
import { counted, many, sentence, shortHex, spaced } from '../model/short';
import { Finder } from '../parts/finder';
import { PageHead } from '../parts/page';
import { AsOf, Empty, Shown } from '../parts/states';
import { DataTable } from '../parts/table';
import { usePlace } from '../router';

const STEP = 60;

export default function Parties() {
  const { query } = usePlace();
  const q = query.get('q') ?? '';
  const answer = useAnswer<PartiesAnswer>(withQuery('/v1/parties', { q }));
  return (
    <>
      <PageHead title="Parties" about="Whom the registry names, and what they may do." />
      <Finder label="Name, GLN or address" action="/parties" />
      <Shown of={answer} what="the parties" lines={8}>
        {(value) =>
          value.parties_list.length === 0 ? (
            <Empty head={q ? 'The registry names nobody so' : 'The registry names nobody yet'}>
              {q ? <a href="/parties">Show all parties</a> : 'Parties come from the folder that [registry] dir names.'}
            </Empty>
          ) : (
            <List value={value} key={q} />
          )
        }
      </Shown>
    </>
  );
}

function List({ value }: { value: PartiesAnswer }) {
  const [shown, setShown] = useState(STEP);
  const list = value.parties_list;
  return (
    <>
      <DataTable
        caption={many(list.length, 'party', 'parties')}
        rows={list.slice(0, shown)}
        rowKey={(row) => row.gln}
        file="parties"
        columns={[
          { head: 'Party', cell: (row) => <Name party={row} />, text: (row) => row.name },
          { head: 'GLN', cell: (row) => <span class="mono">{row.gln}</span>, text: (row) => row.gln },
          { head: 'Role', cell: (row) => sentence(spaced(row.role)), text: (row) => row.role },
          { head: 'Country', cell: (row) => row.country ?? '–', text: (row) => row.country },
          {
            head: 'Licences',
            cell: (row) => <Licences list={row.licences} />,
            text: (row) => row.licences.map((one) => `${one.kind} ${one.jurisdiction} ${one.status}`).join('; '),
          },
          { head: 'Stock', numeric: true, cell: (row) => counted(row.stock), text: (row) => row.stock },
          {
            head: 'Open cases',
            numeric: true,
            cell: (row) =>
              row.open_alerts > 0 ? (
                <a class="strong" href={`/alerts?q=${encodeURIComponent(row.gln)}`}>
                  {counted(row.open_alerts)}
                </a>
              ) : (
                '0'
              ),
            text: (row) => row.open_alerts,
          },
        ]}
      />
      {shown < list.length && (
        <p>
          <button type="button" class="button" onClick={() => setShown(shown + STEP)}>
            Show more ({counted(list.length - shown)} left)
          </button>
        </p>
      )}
      <AsOf snapshot={value.snapshot} />
    </>
  );
}

function Name({ party }: { party: PartyRow }) {
  return (
    <>
      <strong>{party.name}</strong>
      {party.addresses.map((one) => (
        <div key={one} class="mono small quiet" title={one}>
          {shortHex(one)}
        </div>
      ))}
    </>
  );
}

function Licences({ list }: { list: Licence[] }) {
  if (list.length === 0) return <span class="quiet">None</span>;
  return (
    <ul class="plain">
      {list.map((one) => (
        <li key={`${one.kind}${one.jurisdiction}${one.valid_from}`}>
          {sentence(spaced(one.kind))} {one.jurisdiction}{' '}
          {one.status === 'active' ? (
            <span class="quiet small">active</span>
          ) : (
            <span class="badge illegal">{sentence(spaced(one.status))}</span>
          )}
          {one.valid_to && <span class="quiet small"> to {one.valid_to.slice(0, 10)}</span>}
        </li>
      ))}
    </ul>
  );
}
