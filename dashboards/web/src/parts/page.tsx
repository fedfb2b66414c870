// The head of a view: one h1, what it is about, what can be done, and the title of the window.

import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';

export function PageHead({
  title,
  over,
  about,
  children,
}: {
  title: string;
  over?: ComponentChildren;
  about?: ComponentChildren;
  children?: ComponentChildren;
}) {
  useEffect(() => {
    document.title = `${title} · rxtrail`;
  }, [title]);
  return (
    <header class="page-head">
      <div>
        {over && <p class="over">{over}</p>}
        <h1 tabIndex={-1}>{title}</h1>
        {about && <div class="about">{about}</div>}
      </div>
      {children && <div class="page-acts">{children}</div>}
    </header>
  );
}

export function Section({
  title,
  acts,
  children,
  id,
}: {
  title: string;
  acts?: ComponentChildren;
  children: ComponentChildren;
  id?: string;
}) {
  return (
    <section class="section" aria-labelledby={id ?? title.replace(/\W+/g, '-').toLowerCase()}>
      <div class="section-head">
        <h2 id={id ?? title.replace(/\W+/g, '-').toLowerCase()}>{title}</h2>
        {acts}
      </div>
      {children}
    </section>
  );
}
