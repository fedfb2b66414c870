// A sentence of an alert, with its addresses and times set so that they can be read. All of it stays text.

import { piecesOf } from '../model/pieces';
import { shortHex } from '../model/short';
import { Time } from './words';

export function Prose({ text, whole = false }: { text: string; whole?: boolean }) {
  return (
    <>
      {piecesOf(text).map((piece, at) =>
        piece.kind === 'time' ? (
          <Time key={at} at={piece.text} />
        ) : piece.kind === 'hex' ? (
          <span key={at} class="mono in-prose" title={piece.text}>
            {whole ? piece.text : shortHex(piece.text)}
          </span>
        ) : (
          piece.text
        ),
      )}
    </>
  );
}
