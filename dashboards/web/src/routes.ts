// Which view an address opens. Each view is a chunk of its own, fetched when it is first opened.

import type { ComponentType } from 'preact';
import { keyOf } from './model/key';

/** What a view gets from its path; the rest it reads from the query. */
export type Names = Record<string, string>;
export type View = ComponentType<{ names: Names }>;

interface Route {
  pattern: RegExp;
  names: string[];
  load: () => Promise<{ default: View }>;
}

const ROUTES: Route[] = [
  { pattern: /^\/$/, names: [], load: () => import('./views/overview') },
  { pattern: /^\/alerts$/, names: [], load: () => import('./views/queue') },
  { pattern: /^\/alerts\/([^/]+)$/, names: ['case'], load: () => import('./views/case') },
  { pattern: /^\/items\/(.+)$/, names: ['key'], load: () => import('./views/pedigree') },
  { pattern: /^\/verify$/, names: [], load: () => import('./views/verify') },
  { pattern: /^\/lots$/, names: [], load: () => import('./views/lots') },
  { pattern: /^\/lots\/([^/]+)\/([^/]+)$/, names: ['gtin', 'lot'], load: () => import('./views/lot') },
  { pattern: /^\/contracts$/, names: [], load: () => import('./views/contracts') },
  { pattern: /^\/parties$/, names: [], load: () => import('./views/parties') },
  { pattern: /^\/queries$/, names: [], load: () => import('./views/queries') },
  { pattern: /^\/queries\/([^/]+)$/, names: ['name'], load: () => import('./views/query') },
  { pattern: /^\/sql$/, names: [], load: () => import('./views/sql') },
  { pattern: /^\/system$/, names: [], load: () => import('./views/system') },
  { pattern: /^\/search$/, names: [], load: () => import('./views/search') },
];

export interface Found {
  load: Route['load'];
  names: Names;
}

/** The view of a path. */
export function routeOf(path: string): Found {
  const trimmed = path.length > 1 ? path.replace(/\/$/, '') : path;
  for (const route of ROUTES) {
    const found = route.pattern.exec(trimmed);
    if (found) {
      const names: Names = {};
      route.names.forEach((name, at) => {
        names[name] = keyOf(found[at + 1] ?? '');
      });
      return { load: route.load, names };
    }
  }
  return { load: () => import('./views/missing'), names: {} };
}
