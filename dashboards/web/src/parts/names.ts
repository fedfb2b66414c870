// Names of parties that alerts name by GLN alone: the registry is asked once, when a name is missing.

import { useMemo } from 'preact/hooks';
import type { Parties, PartiesAnswer } from '../api/types';
import { useAnswer } from '../api/load';

/** The parties of an answer, with those of `glns` that it did not bring. */
export function useNames(parties: Parties | undefined, glns: (string | null)[]): Parties {
  const known = parties ?? {};
  const named = new Set(Object.values(known).map((one) => one.gln));
  const missing = glns.some((gln) => gln !== null && !gln.startsWith('0x') && !known[gln] && !named.has(gln));
  const asked = useAnswer<PartiesAnswer>(missing ? '/v1/parties' : null);
  return useMemo(() => {
    const all: Parties = { ...known };
    for (const { gln, name, country, role } of asked.value?.parties_list ?? []) all[gln] = { gln, name, country, role };
    return all;
  }, [parties, asked.value]);
}
