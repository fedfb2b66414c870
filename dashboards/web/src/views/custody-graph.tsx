// Who had it after whom, drawn from left to right. Holders are buttons; what is farther away is shown hop by hop.

import { useMemo, useState } from 'preact/hooks';
import type { CustodyRole, Parties, PedigreeAnswer } from '../api/types';
import { type Graph, type HandOver, type Holder, graphOf, graphOfSendings, rolesOf, within } from '../model/graph';
import { counted, many, shortHex, spaced } from '../model/short';
import { DataTable } from '../parts/table';
import { FinalityWord, Time, Who, partyOf } from '../parts/words';
import { setQuery, usePlace } from '../router';
import { type Drawn, NODE, layout } from './graph-layout';

/** More hops than these are shown one by one. */
const FIRST_HOPS = 6;
type Told = 'sender' | CustodyRole;
const WORDS: Record<Told, string> = {
  sender: 'Who sent it to whom',
  possessor: 'Who had it',
  owner: 'Who owned its token',
  declarer: 'Who told of it',
};

export default function CustodyGraph({ value, parties }: { value: PedigreeAnswer; parties: Parties }) {
  const { query } = usePlace();
  const { entries, custody, now } = value;
  const sent = useMemo(
    () =>
      graphOfSendings(
        entries,
        custody,
        now.map((one) => one.possessor),
      ),
    [value],
  );
  const roles: Told[] = [...(sent.handOvers.length > 0 ? ['sender' as const] : []), ...rolesOf(custody)];
  const role = roles.find((one) => one === query.get('role')) ?? roles[0] ?? 'possessor';
  const [hops, setHops] = useState(FIRST_HOPS);
  const graph = useMemo(() => (role === 'sender' ? sent : graphOf(custody, role)), [sent, role]);
  const shown = useMemo(() => within(graph, hops), [graph, hops]);
  const chosen = graph.holders.find((one) => one.id === query.get('holder')) ?? null;
  const choose = (id: string) => setQuery({ holder: id === chosen?.id ? null : id });
  return (
    <div class="graph">
      <div class="graph-acts">
        <fieldset class="chips">
          <legend class="hidden">Whose hand-overs</legend>
          {roles.map((one) => (
            <button
              key={one}
              type="button"
              class="chip"
              aria-pressed={one === role}
              onClick={() => setQuery({ role: one })}
            >
              {WORDS[one]}
            </button>
          ))}
        </fieldset>
        {graph.hops > FIRST_HOPS && <Hops shown={Math.min(hops, graph.hops)} all={graph.hops} show={setHops} />}
      </div>
      <p class="quiet small">
        {many(graph.holders.length, 'holder')}, {many(graph.handOvers.length, 'hand-over')}. A dashed line belongs to a
        branch without provenance. Choose a holder to see what passed through it.
      </p>
      <Drawing graph={shown} label={`${WORDS[role]}, as a graph`} parties={parties} chosen={chosen} choose={choose} />
      {chosen && <Chosen holder={chosen} graph={graph} parties={parties} choose={choose} />}
      <details class="twin">
        <summary>The same as a table</summary>
        <HandOvers graph={graph} parties={parties} />
      </details>
    </div>
  );
}

function Hops({ shown, all, show }: { shown: number; all: number; show: (hops: number) => void }) {
  return (
    <>
      <span class="quiet" role="status">
        {shown} of {many(all, 'hop')} shown
      </span>
      <button type="button" class="button small" disabled={shown >= all} onClick={() => show(shown + 1)}>
        One hop more
      </button>
      <button type="button" class="button small" disabled={shown >= all} onClick={() => show(all)}>
        All hops
      </button>
      <button type="button" class="button small" disabled={shown <= 1} onClick={() => show(shown - 1)}>
        One hop fewer
      </button>
    </>
  );
}

interface DrawingProps {
  graph: Graph;
  label: string;
  parties: Parties;
  chosen: Holder | null;
  choose: (id: string) => void;
}

function Drawing({ graph, label, parties, chosen, choose }: DrawingProps) {
  const { width, height, edges, nodes } = useMemo(() => layout(graph), [graph]);
  const touches = (edge: Drawn['edges'][number]) =>
    chosen !== null && (edge.from === chosen.id || edge.to === chosen.id);
  return (
    <div class="graph-frame" role="group" aria-label={label}>
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`}>
        <defs>
          <marker
            id="arrow"
            viewBox="0 0 8 8"
            refX="7"
            refY="4"
            markerWidth="7"
            markerHeight="7"
            orient="auto-start-reverse"
          >
            <path class="arrow" d="M0 .5 8 4 0 7.5z" />
          </marker>
        </defs>
        {edges.map((edge) => (
          <Edge key={edge.id} edge={edge} bright={touches(edge)} />
        ))}
        {nodes.map((node) => (
          <Node
            key={node.holder.id}
            node={node}
            parties={parties}
            pressed={chosen?.id === node.holder.id}
            choose={choose}
          />
        ))}
      </svg>
    </div>
  );
}

function Edge({ edge, bright }: { edge: Drawn['edges'][number]; bright: boolean }) {
  return (
    <g class={`edge ${edge.branch === 0 ? '' : 'without'} ${bright ? 'bright' : ''}`}>
      <path d={edge.path} marker-end="url(#arrow)" />
      {edge.count > 1 && (
        <text x={edge.x} y={edge.y - 6} text-anchor="middle">
          {edge.count} times
        </text>
      )}
    </g>
  );
}

const cut = (text: string) => (text.length > 26 ? `${text.slice(0, 25)}…` : text);

function Node({
  node,
  parties,
  pressed,
  choose,
}: {
  node: Drawn['nodes'][number];
  parties: Parties;
  pressed: boolean;
  choose: (id: string) => void;
}) {
  const { holder } = node;
  const party = partyOf(holder.holder, parties);
  const name = party?.name ?? 'Not in the registry';
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    choose(holder.id);
  };
  const tone = `${party ? '' : 'stranger'} ${holder.open ? 'open' : ''} ${holder.branches.includes(0) ? '' : 'without'}`;
  const label = `${name}, ${shortHex(holder.holder)}${holder.open ? ', has it now' : ''}, branch ${holder.branches.join(' and ')}`;
  return (
    <g
      class={`node ${tone}`}
      transform={`translate(${node.x - NODE.width / 2} ${node.y - NODE.height / 2})`}
      role="button"
      tabindex={0}
      aria-pressed={pressed}
      aria-label={label}
      onClick={() => choose(holder.id)}
      onKeyDown={onKey}
    >
      <title>{`${name} ${holder.holder}`}</title>
      <rect width={NODE.width} height={NODE.height} rx="6" />
      <text class="node-name" x="12" y="22">
        {cut(name)}
      </text>
      <text class="node-more" x="12" y="41">
        {party ? spaced(party.role) : shortHex(holder.holder)}
        {holder.open ? ' · now' : ''}
      </text>
    </g>
  );
}

function Chosen({
  holder,
  graph,
  parties,
  choose,
}: {
  holder: Holder;
  graph: Graph;
  parties: Parties;
  choose: (id: string) => void;
}) {
  const beside = graph.handOvers.filter((edge) => edge.to === holder.id || edge.from === holder.id);
  const other = (edge: HandOver) => (edge.to === holder.id ? edge.from : edge.to);
  return (
    <div class="chosen" role="status">
      <h3>
        <Who who={holder.holder} parties={parties} />
      </h3>
      <ul class="plain">
        {holder.holds.map((one) => (
          <li key={`${one.branch}${one.from_block}`}>
            Had it on branch {one.branch}: from <Time at={one.from_time} />{' '}
            {one.to_time ? (
              <>
                to <Time at={one.to_time} />
              </>
            ) : (
              'until now'
            )}{' '}
            <FinalityWord finality={one.finality} />
          </li>
        ))}
      </ul>
      <ul class="plain">
        {beside.map((edge) => (
          <li key={edge.id}>
            {edge.to === holder.id ? 'From' : 'To'}
            <button type="button" class="button small" onClick={() => choose(other(edge))}>
              {partyOf(other(edge), parties)?.name ?? shortHex(other(edge))}
            </button>
            <span>on branch {edge.branch}:</span>
            {edge.times.map((one) => (
              <span key={one.block}>
                <Time at={one.time} /> <span class="quiet small">block {counted(one.block)}</span>
              </span>
            ))}
          </li>
        ))}
      </ul>
    </div>
  );
}

function HandOvers({ graph, parties }: { graph: Graph; parties: Parties }) {
  const rows = graph.handOvers.flatMap((edge) => edge.times.map((time) => ({ ...edge, ...time })));
  if (rows.length === 0) return <p class="quiet">It was never handed over.</p>;
  return (
    <DataTable
      caption="Hand-overs"
      quietCaption
      rows={rows}
      rowKey={(row, at) => `${row.id}${row.block}${at}`}
      file="hand-overs"
      columns={[
        { head: 'Branch', numeric: true, cell: (row) => row.branch, text: (row) => row.branch },
        { head: 'From', cell: (row) => <Who who={row.from} parties={parties} />, text: (row) => row.from },
        { head: 'To', cell: (row) => <Who who={row.to} parties={parties} />, text: (row) => row.to },
        { head: 'Time', cell: (row) => <Time at={row.time} />, text: (row) => row.time },
        { head: 'Block', numeric: true, cell: (row) => counted(row.block), text: (row) => row.block },
      ]}
    />
  );
}
