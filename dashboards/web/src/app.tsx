// The frame around every view, and the view that the address names.

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Problem } from './api/client';
import { Navigation } from './frame/navigation';
import { SearchBox } from './frame/search-box';
import { ChainStrip } from './frame/chain-strip';
import { Choices } from './frame/choices';
import { ProblemPanel, Waiting } from './parts/states';
import { type View, routeOf } from './routes';
import { usePlace } from './router';

const STALE_PAGE = new Problem(
  0,
  'page-part',
  'No answer',
  'A part of this page could not be fetched. rxtrail may have been updated: load the page anew.',
);

export function App() {
  const { path } = usePlace();
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to the contents
      </a>
      <div class="frame">
        <aside class="rail">
          <Navigation path={path} />
          <Choices />
        </aside>
        <div class="column">
          <header class="bar">
            <SearchBox />
            <ChainStrip />
          </header>
          <main id="main" tabIndex={-1}>
            <Outlet path={path} />
          </main>
        </div>
      </div>
    </>
  );
}

function skip(event: globalThis.Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

interface Ready {
  load: string;
  view: View;
}

function Outlet({ path }: { path: string }) {
  const { load, names } = routeOf(path);
  const name = load.toString();
  const [ready, setReady] = useState<Ready | null>(null);
  const [failed, setFailed] = useState(false);
  const first = useRef(true);
  useEffect(() => {
    let here = true;
    load().then(
      (module) => {
        if (here) {
          setFailed(false);
          setReady({ load: name, view: module.default });
        }
      },
      () => here && setFailed(true),
    );
    return () => {
      here = false;
    };
  }, [name]);
  // A new view is read from its heading on; the first one is where the browser puts the reader, and a reader who has
  // gone elsewhere while the view was on its way is left there.
  const left = useRef<Element | null>(null);
  useLayoutEffect(() => {
    left.current = document.activeElement;
  }, [path]);
  useEffect(() => {
    if (ready?.load !== name) return;
    const now = document.activeElement;
    if (first.current) first.current = false;
    else if (now === left.current || now === document.body)
      document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true });
  }, [path, ready]);
  if (failed) return <ProblemPanel problem={STALE_PAGE} retry={() => location.reload()} />;
  if (ready?.load !== name) return <Waiting what="the view" />;
  const View = ready.view;
  return <View key={path} names={names} />;
}
