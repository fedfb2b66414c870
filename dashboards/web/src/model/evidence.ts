// Positions of logs that prove a case: `1:759/6 1:794/8`.

export interface Position {
  chain: number;
  block: number;
  log: number;
}

export function positionsOf(evidence: string): Position[] {
  return evidence
    .split(/\s+/)
    .map((text) => /^(\d+):(\d+)\/(\d+)/.exec(text))
    .flatMap((found) => (found ? [{ chain: Number(found[1]), block: Number(found[2]), log: Number(found[3]) }] : []));
}
