// New cases by time as bars, one over the other by severity. The table beside it says the same in numbers.

import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import type { Severity } from '../api/types';
import { type Buckets, SEVERITIES } from '../model/buckets';
import { clock, theme } from '../settings';
import { useStore } from '../store';

const HEIGHT = 190;
/** From the bottom to the top of a bar. */
const STACK: readonly Severity[] = [...SEVERITIES].reverse();

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** A property may say `light-dark(…)`; only an element knows which of the two is meant. */
function resolved(name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value || colour(name);
}

/** Each series is drawn to the height of itself and those below, the highest first. */
function stacked(buckets: Buckets): uPlot.AlignedData {
  const sums = buckets.starts.map(() => 0);
  const series = STACK.map((severity) =>
    buckets.counts[severity].map((count, at) => (sums[at] = (sums[at] ?? 0) + count)).slice(),
  );
  return [buckets.starts, ...series.reverse()];
}

/** `8 Mar`, and the hour where a step is shorter than a day. */
function label(at: number, stepSecs: number, utc: boolean): string {
  const zone = utc ? { timeZone: 'UTC' } : {};
  const time = new Date(at * 1000);
  const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', ...zone }).format(time);
  const hour = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', ...zone }).format(time);
  return stepSecs < 86_400 && hour !== '00:00' ? `${hour}` : day;
}

function options(buckets: Buckets, width: number, utc: boolean): uPlot.Options {
  const quiet = resolved('--ink-quiet');
  const line = resolved('--line');
  const bars = uPlot.paths.bars?.({ size: [0.72, 26], align: 1 });
  const axis = {
    stroke: quiet,
    grid: { stroke: line, width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
  };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    tzDate: (at) => (utc ? uPlot.tzDate(new Date(at * 1e3), 'Etc/UTC') : new Date(at * 1e3)),
    scales: {
      x: { time: true, range: (_, min, max) => [min, max + buckets.stepSecs] },
      y: { range: (_, __, max) => [0, Math.max(4, max * 1.1)] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 28,
        space: 64,
        values: (_, splits) => splits.map((at) => label(at, buckets.stepSecs, utc)),
      },
      { ...axis, size: 36, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000] },
    ],
    series: [
      {},
      ...SEVERITIES.map((severity): uPlot.Series => ({
        fill: resolved(`--${severity}`),
        stroke: resolved('--surface'),
        width: 1,
        points: { show: false },
        ...(bars ? { paths: bars } : {}),
      })),
    ],
  };
}

export default function CaseChart({ buckets, summary }: { buckets: Buckets; summary: string }) {
  const frame = useRef<HTMLDivElement>(null);
  const worn = useStore(theme);
  const whose = useStore(clock);
  useEffect(() => {
    const box = frame.current;
    if (!box) return;
    let plot: uPlot | null = null;
    const draw = () => {
      plot?.destroy();
      plot = new uPlot(options(buckets, Math.max(200, box.clientWidth), whose === 'utc'), stacked(buckets), box);
    };
    draw();
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', draw);
    const watch = new ResizeObserver(() => plot?.setSize({ width: Math.max(200, box.clientWidth), height: HEIGHT }));
    watch.observe(box);
    return () => {
      watch.disconnect();
      dark.removeEventListener('change', draw);
      plot?.destroy();
    };
  }, [buckets, worn, whose]);
  return <div class="chart" ref={frame} role="img" aria-label={summary} />;
}
