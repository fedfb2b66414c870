// The pieces of a sentence: plain text, addresses and hashes, times.

export interface Piece {
  kind: 'text' | 'hex' | 'time';
  text: string;
}

const MARKED = /(0x[0-9a-fA-F]{40,64}(?![0-9a-fA-F])|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)/;

export function piecesOf(text: string): Piece[] {
  return text.split(MARKED).flatMap((part, at): Piece[] => {
    if (part === '') return [];
    if (at % 2 === 0) return [{ kind: 'text', text: part }];
    return [{ kind: part.startsWith('0x') ? 'hex' : 'time', text: part }];
  });
}
