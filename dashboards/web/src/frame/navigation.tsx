// The way to every view; on a narrow screen behind one button.

import { useEffect, useState } from 'preact/hooks';
import { Icon } from '../parts/icon';

const GROUPS = [
  {
    head: 'Watch',
    links: [
      ['/', 'Overview', 'overview'],
      ['/alerts', 'Alerts', 'alerts'],
    ],
  },
  {
    head: 'Trace',
    links: [
      ['/verify', 'Verify a pack', 'verify'],
      ['/lots', 'Lots and recalls', 'lots'],
      ['/contracts', 'Contracts', 'contracts'],
      ['/parties', 'Parties', 'parties'],
    ],
  },
  {
    head: 'Ask',
    links: [
      ['/queries', 'Fraud queries', 'queries'],
      ['/sql', 'SQL', 'sql'],
      ['/system', 'System', 'system'],
    ],
  },
] as const;

/** An item belongs to the alerts by which most readers come to it. */
function isHere(href: string, path: string): boolean {
  return href === '/' ? path === '/' : path === href || path.startsWith(`${href}/`);
}

export function Navigation({ path }: { path: string }) {
  const [open, setOpen] = useState(false);
  useEffect(() => setOpen(false), [path]);
  return (
    <nav
      aria-label="Views"
      class={open ? 'nav open' : 'nav'}
      onKeyDown={(event) => event.key === 'Escape' && setOpen(false)}
    >
      <div class="nav-top">
        <a class="brand" href="/" aria-label="rxtrail, overview">
          <svg viewBox="0 0 32 32" aria-hidden="true" focusable="false">
            <path class="brand-line" d="M8 24V8m0 9h8a6 6 0 0 0 6-6V8" />
            <circle cx="8" cy="8" r="3.2" />
            <circle cx="8" cy="24" r="3.2" />
            <circle class="brand-odd" cx="22" cy="8" r="3.2" />
          </svg>
          rxtrail
        </a>
        <button
          type="button"
          class="button icon-only nav-open"
          aria-expanded={open}
          aria-controls="views"
          onClick={() => setOpen(!open)}
        >
          <Icon name="menu" />
          <span class="hidden">Views</span>
        </button>
      </div>
      <div id="views" class="nav-groups">
        {GROUPS.map((group) => (
          <div key={group.head} class="nav-group">
            <p class="nav-head" id={`nav-${group.head}`}>
              {group.head}
            </p>
            <ul aria-labelledby={`nav-${group.head}`}>
              {group.links.map(([href, word, icon]) => (
                <li key={href}>
                  <a href={href} aria-current={isHere(href, path) ? 'page' : undefined}>
                    <Icon name={icon} />
                    {word}
                  </a>
                </li>
              ))}
            </ul>
          </div>
        ))}
      </div>
    </nav>
  );
}
