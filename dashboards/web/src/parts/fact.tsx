// One fact of a description list: a word and what it says.

import type { ComponentChildren } from 'preact';

export function Fact({ word, mono = false, children }: { word: string; mono?: boolean; children: ComponentChildren }) {
  return (
    <div>
      <dt>{word}</dt>
      <dd class={mono ? 'mono' : ''}>{children}</dd>
    </div>
  );
}
