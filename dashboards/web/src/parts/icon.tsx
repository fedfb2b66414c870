// Icons, drawn here so that nothing is fetched. They stand beside words and are hidden from readers of the screen.

const PATHS: Record<string, string> = {
  overview: 'M3 3h6v8H3zM11 3h6v4h-6zM11 9h6v8h-6zM3 13h6v4H3z',
  alerts: 'M10 2.5 18 16.5H2zM10 8v4M10 14.2v.3',
  verify: 'M3 6V3h3M14 3h3v3M17 14v3h-3M6 17H3v-3M6.5 10.2l2.5 2.5 4.5-5',
  lots: 'M3 6.5 10 3l7 3.5v7L10 17l-7-3.5zM3 6.5l7 3.5 7-3.5M10 10v7',
  contracts: 'M5 2.5h7l3.5 3.5v11.5H5zM12 2.5V6h3.5M7.5 10h5M7.5 13h5',
  parties:
    'M7 9a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2 17c0-3.5 2.2-5.5 5-5.5s5 2 5 5.5M13 9a2.5 2.5 0 1 0 0-5M14 11.8c2.4.5 4 2.3 4 5.2',
  queries: 'M8.5 14a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM12.5 12.5 17.5 17.500M6 8.500h5M6 6.500h3',
  sql: 'M3 4h14v12H3zM6 8l2.5 2L6 12M10.5 12.500H14',
  system: 'M3 4h14v5H3zM3 11h14v5H3zM6 6.500h.2M6 13.500h.2',
  search: 'M8.5 14a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM12.5 12.5 17.5 17.5',
  warning: 'M10 2.5 18 16.5H2zM10 8v4M10 14.2v.3',
  nothing: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM6.5 10h7',
  lock: 'M5 9h10v8H5zM7 9V6.500a3 3 0 0 1 6 0V9M10 12v2',
  menu: 'M3 5h14M3 10h14M3 15h14',
  sun: 'M10 13.500a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM10 2v1.500M10 16.500V18M2 10h1.500M16.5 10H18M4.3 4.300l1.1 1.100M14.6 14.600l1.1 1.100M4.3 15.700l1.1-1.100M14.6 5.400l1.1-1.1',
  clock: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM10 6v4.200l2.8 1.8',
  copy: 'M7 7h9v10H7zM4 13V3h9v1.5',
  save: 'M10 3v9M6.5 8.8 10 12.300l3.5-3.500M4 16.500h12',
  right: 'M7.5 4.5 13 10l-5.5 5.5',
  expected: 'M4 10.500l4 4 8-9',
  came: 'M5 5l10 10M15 5 5 15',
  inside: 'M3 5h14v12H3zM6.5 8.500h7v5h-7zM3 5l2-2.500h10L17 5',
  print: 'M6 8V3h8v5M6 14H3.500V8h13v6H14M6 12h8v5H6z',
  play: 'M6 4l10 6-10 6z',
  stop: 'M5.5 5.500h9v9h-9z',
  branch: 'M6 3v14M6 9c6 0 8 1 8 8M14 3v3',
};

export function Icon({ name }: { name: keyof typeof PATHS | string }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={PATHS[name] ?? PATHS['nothing'] ?? ''} />
    </svg>
  );
}

/** Each severity has a shape of its own: octagon, triangle, diamond, circle. */
const SHAPES: Record<string, string> = {
  critical: 'M5 1h6l4 4v6l-4 4H5l-4-4V5z',
  high: 'M8 1l7.5 14H.5z',
  medium: 'M8 .5 15.5 8 8 15.5.5 8z',
  low: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2z',
};

export function SeverityShape({ severity }: { severity: string }) {
  return (
    <svg class={`shape s-${severity}`} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={SHAPES[severity] ?? SHAPES['low'] ?? ''} />
    </svg>
  );
}
