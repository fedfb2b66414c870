// Who had it after whom, drawn from left to right. Holders are buttons; what is farther away is shown hop by hop.

import { useMemo, useState } from 'preact/hooks';
import type { Custody, CustodyRole, Parties } from '../api/types';
import { type Graph, type Holder, graphOf, rolesOf, within } from '../model/graph';
import { counted, many, shortHex, spaced } from '../model/short';
import { DataTable } from '../parts/table';
import { FinalityWord, Time, Who, partyOf } from '../parts/words';
import { setQuery, usePlace } from '../router';
import { type Drawn, NODE, layout } from './graph-layout';

/** More hops than these are shown one by one. */
const FIRST_HOPS = 6;
const ROLE_WORDS: Record<CustodyRole, string> = { possessor: 'Who had it', owner: 'Who owned its token', declarer: 'Who told of it' };

export default function CustodyGraph({ custody, parties }: { custody: Custody[]; parties: Parties }) {
  const { query } = usePlace();
  const roles = rolesOf(custody);
  const role = roles.find((one) => one === query.get('role')) ?? roles[0] ?? 'possessor';
  const [hops, setHops] = useState(FIRST_HOPS);
  const graph = useMemo(() => graphOf(custody, role), [custody, role]);
  const shown = useMemo(() => within(graph, hops), [graph, hops]);
  const drawn = useMemo(() => layout(shown), [shown]);
  const chosen = graph.holders.find((one) => one.id === query.get('holder')) ?? null;
  const choose = (id: string) => setQuery({ holder: id === chosen?.id ? null : id });
  return (
    <div class="graph">
      <div class="graph-acts">
        <fieldset class="chips">
          <legend class="hidden">Whose hand-overs</legend>
          {roles.map((one) => <button key={one} type="button" class="chip" aria-pressed={one === role} onClick={() => setQuery({ role: one })}>{ROLE_WORDS[one]}</button>)}
        </fieldset>
        {graph.hops > FIRST_HOPS && (
          <>
            <span class="quiet" role="status">{Math.min(hops, graph.hops)} of {many(graph.hops, 'hop')} shown</span>
            <button type="button" class="button small" disabled={hops >= graph.hops} onClick={() => setHops(hops + 1)}>One hop more</button>
            <button type="button" class="button small" disabled={hops >= graph.hops} onClick={() => setHops(graph.hops)}>All hops</button>
            <button type="button" class="button small" disabled={hops <= 1} onClick={() => setHops(Math.min(hops, graph.hops) - 1)}>One hop fewer</button>
          </>
        )}
      </div>
      <p class="quiet small">{many(graph.holders.length, 'holder')}, {many(graph.handOvers.length, 'hand-over')}. A dashed line belongs to a branch without provenance. Choose a holder to see what passed through it.</p>
      <div class="graph-frame" role="group" aria-label={`${ROLE_WORDS[role]}, as a graph`}>
        <svg width={drawn.width} height={drawn.height} viewBox={`0 0 ${drawn.width} ${drawn.height}`}>
          <defs>
            <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path class="arrow" d="M0 .5 8 4 0 7.5z" /></marker>
          </defs>
          {drawn.edges.map((edge) => <Edge key={edge.id} edge={edge} bright={chosen !== null && (edge.from === chosen.id || edge.to === chosen.id)} />)}
          {drawn.nodes.map((node) => <Node key={node.holder.id} node={node} parties={parties} pressed={chosen?.id === node.holder.id} choose={choose} />)}
        </svg>
      </div>
      {chosen && <Chosen holder={chosen} graph={graph} parties={parties} choose={choose} />}
      <details class="twin">
        <summary>The same as a table</summary>
        <HandOvers graph={graph} parties={parties} />
      </details>
    </div>
  );
}

function Edge({ edge, bright }: { edge: Drawn['edges'][number]; bright: boolean }) {
  return (
    <g class={`edge ${edge.branch === 0 ? '' : 'without'} ${bright ? 'bright' : ''}`}>
      <path d={edge.path} marker-end="url(#arrow)" />
      {edge.count > 1 && <text x={edge.x} y={edge.y - 6} text-anchor="middle">{edge.count} times</text>}
    </g>
  );
}

const cut = (text: string) => (text.length > 26 ? `${text.slice(0, 25)}…` : text);

function Node({ node, parties, pressed, choose }: { node: Drawn['nodes'][number]; parties: Parties; pressed: boolean; choose: (id: string) => void }) {
  const { holder } = node;
  const party = partyOf(holder.holder, parties);
  const name = party?.name ?? 'Not in the registry';
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    choose(holder.id);
  };
  const branches = [...new Set(holder.holds.map((one) => one.branch))];
  const tone = `${party ? '' : 'stranger'} ${holder.open ? 'open' : ''} ${branches.includes(0) ? '' : 'without'}`;
  const label = `${name}, ${shortHex(holder.holder)}${holder.open ? ', has it now' : ''}, branch ${branches.join(' and ')}`;
  return (
    <g class={`node ${tone}`} transform={`translate(${node.x - NODE.width / 2} ${node.y - NODE.height / 2})`} role="button" tabindex={0} aria-pressed={pressed} aria-label={label} onClick={() => choose(holder.id)} onKeyDown={onKey}>
      <title>{`${name} ${holder.holder}`}</title>
      <rect width={NODE.width} height={NODE.height} rx="6" />
      <text class="node-name" x="12" y="22">{cut(name)}</text>
      <text class="node-more" x="12" y="41">{party ? spaced(party.role) : shortHex(holder.holder)}{holder.open ? ' · now' : ''}</text>
    </g>
  );
}

function Chosen({ holder, graph, parties, choose }: { holder: Holder; graph: Graph; parties: Parties; choose: (id: string) => void }) {
  const beside = (ids: string[], word: string) => ids.length > 0 && (
    <p>{word} {ids.map((id) => <button key={id} type="button" class="button small" onClick={() => choose(id)}>{partyOf(id, parties)?.name ?? shortHex(id)}</button>)}</p>
  );
  const before = [...new Set(graph.handOvers.filter((edge) => edge.to === holder.id).map((edge) => edge.from))];
  const after = [...new Set(graph.handOvers.filter((edge) => edge.from === holder.id).map((edge) => edge.to))];
  return (
    <div class="chosen" role="status">
      <h3><Who who={holder.holder} parties={parties} /></h3>
      <ul class="plain">
        {holder.holds.map((one) => (
          <li key={`${one.branch}${one.from_block}`}>Branch {one.branch}: from <Time at={one.from_time} /> {one.to_time ? <>to <Time at={one.to_time} /></> : 'until now'} <FinalityWord finality={one.finality} /></li>
        ))}
      </ul>
      {beside(before, 'Before:')}
      {beside(after, 'After:')}
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
