// Where the nodes and edges of a custody graph stand: dagre in layers from left to right.

import { Graph as Layered, layout as arrange } from '@dagrejs/dagre';
import type { Graph, Holder } from '../model/graph';

export const NODE = { width: 244, height: 54 } as const;
const MARGIN = 12;

export interface Drawn {
  width: number;
  height: number;
  nodes: { holder: Holder; x: number; y: number }[];
  edges: { id: string; from: string; to: string; branch: number; count: number; path: string; x: number; y: number }[];
}

export function layout(graph: Graph): Drawn {
  const layered = new Layered({ multigraph: true });
  layered.setGraph({ rankdir: 'LR', nodesep: 22, ranksep: 64, marginx: MARGIN, marginy: MARGIN });
  layered.setDefaultEdgeLabel(() => ({}));
  for (const holder of graph.holders) layered.setNode(holder.id, { width: NODE.width, height: NODE.height });
  for (const edge of graph.handOvers) layered.setEdge(edge.from, edge.to, {}, edge.id);
  arrange(layered);
  const size = layered.graph() as { width?: number; height?: number };
  return {
    width: Math.ceil(size.width ?? NODE.width + 2 * MARGIN),
    height: Math.ceil(size.height ?? NODE.height + 2 * MARGIN),
    nodes: graph.holders.map((holder) => {
      const at = layered.node(holder.id) as { x: number; y: number };
      return { holder, x: at.x, y: at.y };
    }),
    edges: graph.handOvers.map((edge) => {
      const { points } = layered.edge(edge.from, edge.to, edge.id) as { points: { x: number; y: number }[] };
      const middle = points[Math.floor(points.length / 2)] ?? { x: 0, y: 0 };
      return {
        id: edge.id,
        from: edge.from,
        to: edge.to,
        branch: edge.branch,
        count: edge.times.length,
        path: curve(points),
        x: middle.x,
        y: middle.y,
      };
    }),
  };
}

/** A line through the points with its corners rounded. */
function curve(points: { x: number; y: number }[]): string {
  const [first, ...rest] = points;
  const last = rest.pop();
  if (!first || !last) return '';
  let path = `M${first.x} ${first.y}`;
  rest.forEach((point, at) => {
    const next = rest[at + 1] ?? last;
    path += ` Q${point.x} ${point.y} ${(point.x + next.x) / 2} ${(point.y + next.y) / 2}`;
  });
  return `${path} L${last.x} ${last.y}`;
}
