// Where a search goes: what kind of name the reader typed.

import { gtin14, readCode } from './gs1';
import { caseHref, itemHref, partsOf } from './key';

export type Target =
  { kind: 'go'; href: string } | { kind: 'address'; address: string } | { kind: 'text'; text: string };

/** The view that a name leads to, or what is still to be asked. */
export function targetOf(typed: string): Target {
  const text = typed.trim();
  if (/^0x[0-9a-f]{64}$/i.test(text)) return { kind: 'go', href: caseHref(text.toLowerCase()) };
  if (/^0x[0-9a-f]{40}$/i.test(text)) return { kind: 'address', address: text.toLowerCase() };
  const key = partsOf(text);
  if (key.kind !== 'other') return { kind: 'go', href: itemHref(text) };
  if (/^\d+$/.test(text)) return ofDigits(text);
  const code = readCode(text);
  if (!('error' in code)) {
    if (code.serial) return { kind: 'go', href: itemHref(`01/${code.gtin}/21/${encodeURIComponent(code.serial)}`) };
    return { kind: 'go', href: `/lots?q=${encodeURIComponent(code.lot || code.gtin)}` };
  }
  return { kind: 'text', text };
}

function ofDigits(text: string): Target {
  if (text.length === 18) return { kind: 'go', href: itemHref(`00/${text}`) };
  // Thirteen digits may be a GTIN or a GLN: both are asked.
  const gtin = text.length === 13 ? null : gtin14(text);
  return gtin ? { kind: 'go', href: `/lots?q=${gtin}` } : { kind: 'text', text };
}

export function searchHref(text: string): string {
  return `/search?q=${encodeURIComponent(text)}`;
}
