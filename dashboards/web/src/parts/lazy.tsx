// A component whose code is fetched when it is first drawn.

import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Waiting } from './states';

export function lazy<P extends object>(
  load: () => Promise<{ default: ComponentType<P> }>,
  what: string,
): ComponentType<P> {
  let known: ComponentType<P> | null = null;
  return function Lazy(props: P) {
    const [part, setPart] = useState<{ draw: ComponentType<P> | null; failed: boolean }>({
      draw: known,
      failed: false,
    });
    useEffect(() => {
      if (known) return;
      load().then(
        (module) => {
          known = module.default;
          setPart({ draw: module.default, failed: false });
        },
        () => setPart({ draw: null, failed: true }),
      );
    }, []);
    if (part.failed) return <p class="quiet">The {what} could not be fetched; load the page anew.</p>;
    const Part = part.draw;
    return Part ? <Part {...props} /> : <Waiting what={what} lines={3} />;
  };
}
