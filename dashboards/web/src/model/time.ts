// Times and spans in words.

import type { Clock } from '../settings';

const two = (value: number) => String(value).padStart(2, '0');

/** `2025-03-31 07:55:36 UTC`, or the reader's own clock with its offset; to the minute where that is enough. */
export function timeText(iso: string, clock: Clock, exact = true): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return iso;
  const length = exact ? 19 : 16;
  if (clock === 'utc') return `${time.toISOString().slice(0, length).replace('T', ' ')} UTC`;
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  const hour = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  return `${`${day} ${hour}`.slice(0, length)} ${offset(-time.getTimezoneOffset())}`;
}

function offset(minutes: number): string {
  const size = Math.abs(minutes);
  return `UTC${minutes < 0 ? '−' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

const UNITS = [
  { secs: 86_400, word: 'd' },
  { secs: 3_600, word: 'h' },
  { secs: 60, word: 'min' },
  { secs: 1, word: 's' },
] as const;

/** `3 d 4 h`, `12 min`, `8 s`: the two largest units that say something, minutes and seconds alone. */
export function span(secs: number): string {
  const whole = Math.max(0, Math.round(secs));
  const at = UNITS.findIndex((unit) => whole >= unit.secs);
  const first = UNITS[at];
  if (!first) return '0 s';
  const count = Math.floor(whole / first.secs);
  const second = at < 2 ? UNITS[at + 1] : undefined;
  const rest = second ? Math.floor((whole - count * first.secs) / second.secs) : 0;
  return rest > 0 && second ? `${count} ${first.word} ${rest} ${second.word}` : `${count} ${first.word}`;
}

/** Seconds between two times; `null` where one is unreadable. */
export function secondsBetween(from: string, to: string): number | null {
  const secs = (Date.parse(to) - Date.parse(from)) / 1000;
  return Number.isNaN(secs) ? null : secs;
}

/** A chain that ended, or a simulated one, has a clock of its own: ages are counted to its head. */
const HEAD_IS_NOW_SECS = 3_600;

/** The moment to which ages are counted: now, or the head's time where the head is not of now. */
export function agesUntil(headTime: string | null, nowMs: number): number {
  const head = headTime === null ? Number.NaN : Date.parse(headTime);
  if (Number.isNaN(head)) return nowMs;
  return Math.abs(nowMs - head) <= HEAD_IS_NOW_SECS * 1000 ? nowMs : head;
}
