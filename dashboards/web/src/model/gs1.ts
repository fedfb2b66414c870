// What a scanner reads off a pack: a GS1 element string, with FNC1 as ASCII 29 or in parentheses, or a Digital Link.

export interface PackCode {
  gtin: string;
  serial: string;
  lot: string;
  expiry: string;
}

/** Lengths of the values of application identifiers that need no separator (GS1 General Specifications, 7.8.4). */
const FIXED: Record<string, number> = {
  '00': 18,
  '01': 14,
  '02': 14,
  '03': 14,
  '04': 16,
  '11': 6,
  '12': 6,
  '13': 6,
  '14': 6,
  '15': 6,
  '16': 6,
  '17': 6,
  '18': 6,
  '19': 6,
  '20': 2,
  '31': 6,
  '32': 6,
  '33': 6,
  '34': 6,
  '35': 6,
  '36': 6,
  '41': 13,
};
/** Identifiers of variable length whose prefix has two digits; all others have three or four. */
const TWO = new Set(['10', '21', '22', '30', '37', ...Array.from({ length: 10 }, (_, i) => `9${i}`)]);
const SEPARATOR = '\u001d';

/** What the text says, or why it says nothing. */
export function readCode(text: string): PackCode | { error: string } {
  const trimmed = text.trim();
  if (trimmed === '') return { error: 'There is nothing to read.' };
  const values =
    /^https?:\/\//i.test(trimmed) || /^\/?01\/\d{8,14}(\/|$)/.test(trimmed) ? ofLink(trimmed) : ofElements(trimmed);
  if ('error' in values) return values as { error: string };
  const found = values as Record<string, string>;
  const gtin = gtin14(found['01'] ?? '');
  if (!gtin) return { error: 'It holds no GTIN (application identifier 01) with a right check digit.' };
  return { gtin, serial: found['21'] ?? '', lot: found['10'] ?? '', expiry: expiryDate(found['17'] ?? '') };
}

type Values = Record<string, string> | { error: string };

function ofLink(text: string): Values {
  let path = text;
  let query = '';
  try {
    const url = new URL(text, 'http://localhost');
    path = url.pathname;
    query = url.search;
  } catch {
    return { error: 'It is no address that can be read.' };
  }
  const values: Record<string, string> = {};
  const parts = path.split('/').filter((part) => part !== '');
  const start = parts.findIndex((part, at) => part === '01' && /^\d{8,14}$/.test(parts[at + 1] ?? ''));
  if (start < 0) return { error: 'It is no GS1 Digital Link: /01/ and a GTIN are missing.' };
  for (let at = start; at + 1 < parts.length; at += 2) values[parts[at] ?? ''] = decoded(parts[at + 1] ?? '');
  for (const [name, value] of new URLSearchParams(query)) if (/^\d{2,4}$/.test(name)) values[name] = value;
  return values;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function ofElements(text: string): Values {
  // A scanner may begin with its symbology, "]d2" for a GS1 DataMatrix, or with FNC1 itself.
  const body = text.replace(/^\](d2|C1|Q3|e0)/, '').replace(/^\u001d/, '');
  return body.startsWith('(') ? ofParentheses(body) : ofPlain(body);
}

function ofParentheses(text: string): Values {
  const values: Record<string, string> = {};
  const pattern = /\((\d{2,4})\)(.*?)(?=\(\d{2,4}\)|$)/gsu;
  for (const found of text.matchAll(pattern))
    values[found[1] ?? ''] = (found[2] ?? '').replaceAll(SEPARATOR, '').trim();
  return Object.keys(values).length > 0 ? values : { error: 'No (01), (21), (17) or (10) was found in it.' };
}

function ofPlain(text: string): Values {
  const values: Record<string, string> = {};
  let rest = text;
  while (rest !== '') {
    const prefix = rest.slice(0, 2);
    if (!/^\d\d$/.test(prefix)) return { error: `“${rest.slice(0, 8)}” is no application identifier.` };
    const fixed = FIXED[prefix];
    const width = digitsOf(prefix);
    const name = rest.slice(0, width);
    const after = rest.slice(width);
    const end = fixed ?? endOf(after);
    if (fixed !== undefined && after.length < fixed) return { error: `The value of (${name}) is too short.` };
    values[name] = after.slice(0, end);
    rest = after.slice(end).replace(/^\u001d+/, '');
  }
  return values;
}

/** Digits of the application identifiers that begin so. */
function digitsOf(prefix: string): number {
  if (/^3[1-6]/.test(prefix)) return 4;
  if (/^(2[345]|4[012]|71)/.test(prefix)) return 3;
  return FIXED[prefix] !== undefined || TWO.has(prefix) ? 2 : 4;
}

function endOf(text: string): number {
  const at = text.indexOf(SEPARATOR);
  return at < 0 ? text.length : at;
}

/** A GTIN of 8, 12, 13 or 14 digits as 14, when its check digit is right; else `null`. */
export function gtin14(text: string): string | null {
  const digits = text.trim();
  if (!/^(\d{8}|\d{12,14})$/.test(digits)) return null;
  const padded = digits.padStart(14, '0');
  let sum = 0;
  for (let at = 0; at < 13; at++) sum += Number(padded[at]) * (at % 2 === 0 ? 3 : 1);
  return (10 - (sum % 10)) % 10 === Number(padded[13]) ? padded : null;
}

/** `YYMMDD` as `YYYY-MM-DD`; day 00 is the last of the month. Years within 49 before and 50 after now. */
export function expiryDate(text: string, nowYear = new Date().getUTCFullYear()): string {
  const found = /^(\d\d)(\d\d)(\d\d)$/.exec(text);
  if (!found) return '';
  const short = Number(found[1]);
  const month = Number(found[2]);
  const apart = short - (nowYear % 100);
  const century = Math.floor(nowYear / 100) + (apart >= 51 ? -1 : apart <= -50 ? 1 : 0);
  const year = century * 100 + short;
  const last = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const day = Number(found[3]) === 0 ? last : Number(found[3]);
  if (month < 1 || month > 12 || day > last) return '';
  return `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}
