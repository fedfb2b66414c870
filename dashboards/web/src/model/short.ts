// Long names made short enough to read; the whole stands beside them.

/** `0x1234…cdef`. */
export function shortHex(text: string): string {
  return /^0x[0-9a-fA-F]{12,}$/.test(text) ? `${text.slice(0, 6)}…${text.slice(-4)}` : text;
}

/** `in_transit` as `in transit`. */
export function spaced(word: string): string {
  return word.replaceAll('_', ' ');
}

/** The first letter large. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const NUMBERS = new Intl.NumberFormat('en-GB');

/** `20,000`; text that is no number stays. */
export function counted(value: number | string | null): string {
  if (value === null) return '–';
  const number = typeof value === 'number' ? value : Number(value);
  return Number.isSafeInteger(number) ? NUMBERS.format(number) : String(value);
}

/** `1 case`, `2 cases`. */
export function many(count: number, one: string, several = `${one}s`): string {
  return `${counted(count)} ${count === 1 ? one : several}`;
}
