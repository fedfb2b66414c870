// How rxtrail is: chains, finality, what the nodes were caught at, what could not be read.

import { useEffect } from 'preact/hooks';
import type { ChainState, Incident, SystemAnswer } from '../api/types';
import { useAnswer } from '../api/load';
import { sqlHref } from '../model/key';
import { counted, many, sentence, spaced } from '../model/short';
import { span } from '../model/time';
import { Icon } from '../parts/icon';
import { PageHead, Section } from '../parts/page';
import { AsOf, Empty, Shown } from '../parts/states';
import { DataTable } from '../parts/table';
import { Time } from '../parts/words';

const AGAIN_MS = 10_000;

export default function System() {
  const answer = useAnswer<SystemAnswer>('/v1/system');
  useEffect(() => {
    const timer = setInterval(answer.reload, AGAIN_MS);
    return () => clearInterval(timer);
  }, [answer.reload]);
  return (
    <>
      <PageHead title="System" about="How far the chains are read, and what went wrong on the way." />
      <Shown of={answer} what="the system" lines={7}>
        {(value) => <Body value={value} />}
      </Shown>
    </>
  );
}

function Body({ value }: { value: SystemAnswer }) {
  const open = Object.values(value.alerts).reduce((sum, count) => sum + count, 0);
  return (
    <>
      <dl class="now" aria-label="The process">
        <div>
          <dt>Ready</dt>
          <dd>
            {value.ready ? (
              <strong>Yes</strong>
            ) : (
              <span class="contradiction">
                <Icon name="warning" />
                Not yet
              </span>
            )}
          </dd>
        </div>
        <div>
          <dt>Version</dt>
          <dd class="mono">{value.version}</dd>
        </div>
        <div>
          <dt>Commit</dt>
          <dd class="mono">{counted(value.snapshot.commit)}</dd>
        </div>
        <div>
          <dt>Open cases</dt>
          <dd>
            <a href="/alerts">{counted(open)}</a>
          </dd>
        </div>
        <div>
          <dt>The process itself</dt>
          <dd>
            <a href="/metrics">Metrics</a>, <a href="/health">health</a>, <a href="/ready">ready</a>
          </dd>
        </div>
      </dl>
      {value.chains.map((chain) => (
        <Chain key={chain.chain} chain={chain} />
      ))}
      <Section title="Incidents" acts={<span class="quiet small">the newest {counted(value.incidents.length)}</span>}>
        <Incidents list={value.incidents} />
      </Section>
      <AsOf snapshot={value.snapshot} />
    </>
  );
}

function Chain({ chain }: { chain: ChainState }) {
  const lagSecs = chain.head_time ? (Date.now() - Date.parse(chain.head_time)) / 1000 : null;
  const open = chain.head !== null && chain.finalized !== null ? chain.head - chain.finalized : null;
  const letters = `SELECT reason, count(*) AS letters FROM dead_letters WHERE chain = ${chain.chain} GROUP BY reason ORDER BY letters DESC`;
  return (
    <Section title={`Chain ${chain.chain}`}>
      <dl class="now" aria-label={`Chain ${chain.chain}`}>
        <div>
          <dt>Head</dt>
          <dd class="mono">{counted(chain.head)}</dd>
        </div>
        <div>
          <dt>Time of the head</dt>
          <dd>{chain.head_time ? <Time at={chain.head_time} /> : '–'}</dd>
        </div>
        <div>
          <dt>Lag behind this browser’s clock</dt>
          <dd>{lagSecs === null ? '–' : span(lagSecs)}</dd>
        </div>
        <div>
          <dt>Final to</dt>
          <dd class="mono">{counted(chain.finalized)}</dd>
        </div>
        <div>
          <dt>Not yet final</dt>
          <dd>{open === null ? '–' : many(open, 'block')}</dd>
        </div>
        <div>
          <dt>Events</dt>
          <dd class="mono">{counted(chain.events)}</dd>
        </div>
        <div>
          <dt>Items</dt>
          <dd class="mono">{counted(chain.items)}</dd>
        </div>
        <div>
          <dt>Dead letters</dt>
          <dd>
            <span class="mono">{counted(chain.dead_letters)}</span> <a href={sqlHref(letters)}>by reason</a>
          </dd>
        </div>
      </dl>
    </Section>
  );
}

function Incidents({ list }: { list: Incident[] }) {
  if (list.length === 0)
    return <Empty head="No incident">No node was caught at a wrong answer, and no block was taken back.</Empty>;
  return (
    <DataTable
      caption="Incidents"
      quietCaption
      rows={list}
      rowKey={(row, at) => `${row.chain}${row.block_number}${at}`}
      file="incidents"
      columns={[
        { head: 'Kind', cell: (row) => <strong>{sentence(spaced(row.kind))}</strong>, text: (row) => row.kind },
        { head: 'Chain', numeric: true, cell: (row) => row.chain, text: (row) => row.chain },
        { head: 'Block', numeric: true, cell: (row) => counted(row.block_number), text: (row) => row.block_number },
        { head: 'Endpoint', cell: (row) => row.endpoint, text: (row) => row.endpoint },
        { head: 'Detail', cell: (row) => <span class="wrap">{row.detail}</span>, text: (row) => row.detail },
      ]}
    />
  );
}
