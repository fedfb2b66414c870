// A browser that is watched: what a page throws, what its policy refuses, and every request that leaves its origin.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { chromium } from 'playwright-core';

const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-dev-shm-usage',
];
const PATIENCE_MS = 20_000;
const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa'];

export async function openBrowser({ origin, shots, chromium: executablePath }) {
  const browser = await chromium.launch({ executablePath, args: ARGUMENTS });
  return {
    open: async (look = {}) =>
      watched(
        await browser.newContext({
          viewport: { width: 1360, height: 900 },
          reducedMotion: 'reduce',
          acceptDownloads: true,
          ...look,
        }),
        origin,
        shots,
      ),
    close: () => browser.close(),
  };
}

async function watched(context, origin, shots) {
  context.setDefaultTimeout(PATIENCE_MS);
  const faults = [];
  const expected = [];
  await context.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) =>
      console.error(`policy: ${event.violatedDirective} refused ${event.blockedURI} ${event.sample}`),
    );
  });
  const page = await context.newPage();
  page.on('pageerror', (error) => faults.push(`thrown: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol !== 'data:' && url.protocol !== 'blob:' && url.origin !== origin)
      faults.push(`left the origin: ${request.url()}`);
  });
  return {
    page,
    origin,
    /** Opens a path of the page. */
    goto: (path) => page.goto(origin + path, { waitUntil: 'domcontentloaded' }),
    /** A fault that the story causes on purpose. */
    expect: (pattern) => expected.push(pattern),
    assertClean: () =>
      assert.deepEqual(
        faults.filter((fault) => !expected.some((pattern) => pattern.test(fault))),
        [],
      ),
    /** Every rule of WCAG 2.2 AA that a machine can check. */
    assertAccessible: async () => {
      const { violations } = await new AxeBuilder({ page }).withTags(WCAG).analyze();
      assert.deepEqual(
        violations.map(
          ({ id, nodes }) =>
            `${id}: ${nodes
              .slice(0, 3)
              .map((node) => `${node.target} ${node.failureSummary}`)
              .join('; ')}`,
        ),
        [],
      );
    },
    shot: async (name) => shots && page.screenshot({ path: join(shots, `${name}.png`), fullPage: true }),
    close: () => context.close(),
  };
}
