// Keys of items and where they lead: `01/<gtin>/21/<serial>`, `01/<gtin>/10/<lot>`, `00/<sscc>`, or a token in CAIP-19.

export interface KeyParts {
  kind: 'pack' | 'lot' | 'unit' | 'token' | 'other';
  gtin?: string;
  serial?: string;
  lot?: string;
  sscc?: string;
}

function plain(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** What a key says. */
export function partsOf(key: string): KeyParts {
  const pack = /^01\/(\d{14})\/21\/(.+)$/.exec(key);
  if (pack) return { kind: 'pack', gtin: pack[1] ?? '', serial: plain(pack[2] ?? '') };
  const lot = /^01\/(\d{14})\/10\/(.+)$/.exec(key);
  if (lot) return { kind: 'lot', gtin: lot[1] ?? '', lot: plain(lot[2] ?? '') };
  const unit = /^00\/(\d{18})$/.exec(key);
  if (unit) return { kind: 'unit', sscc: unit[1] ?? '' };
  if (/^eip155:\d+\/erc(721|1155):0x/.test(key)) return { kind: 'token' };
  return { kind: 'other' };
}

/** The path of a key: its slashes stay, all else is encoded, so that one decoding gives the key back. */
export function keyPath(key: string): string {
  return encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%3A', ':');
}

/** The key in a path. */
export function keyOf(path: string): string {
  return plain(path);
}

/** The view of an item, or of a lot. */
export function itemHref(key: string, at?: { chain: number; block_number: number; log_index: number }): string {
  const position = at ? `?at=${at.chain}:${at.block_number}/${at.log_index}` : '';
  return `/items/${keyPath(key)}${position}`;
}

export function lotHref(gtin: string, lot: string): string {
  return `/lots/${encodeURIComponent(gtin)}/${encodeURIComponent(lot)}`;
}

export function caseHref(caseKey: string): string {
  return `/alerts/${encodeURIComponent(caseKey)}`;
}

/** The SQL view with a statement: behind the #, where no server has to carry it. */
export function sqlHref(sql: string): string {
  return `/sql#${encodeURIComponent(sql)}`;
}
