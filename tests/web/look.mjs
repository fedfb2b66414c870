// Every view in light and in dark and on a phone: its contents, its accessibility, its policy, its width.

import assert from 'node:assert/strict';

const LOOKS = [
  ['light', { colorScheme: 'light' }],
  ['dark', { colorScheme: 'dark' }],
  // 1280 pixels at 400 %.
  ['phone', { colorScheme: 'light', viewport: { width: 320, height: 640 } }],
];

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
];

export async function lookAtEach(browser, views, report) {
  for (const [look, options] of LOOKS) {
    for (const view of views) {
      await report.tell(`${view.name}, ${look}`, async () => {
        const window = await browser.open(options);
        try {
          if (view.fails) window.expect(/Failed to load resource/);
          const response = await window.goto(view.path);
          assertPolicy(response.headers()['content-security-policy'] ?? '');
          await view.seen(window.page);
          await settled(window.page);
          await window.shot(`${view.name}-${look}`);
          await assertWhole(window.page);
          window.assertClean();
          await window.assertAccessible();
        } finally {
          await window.close();
        }
      });
    }
  }
}

function assertPolicy(header) {
  const directives = header
    .split(';')
    .map((one) => one.trim())
    .filter(Boolean);
  assert.deepEqual(
    POLICY.filter((one) => !directives.includes(one)),
    [],
    `the content policy is: ${header}`,
  );
}

/** Nothing of the view is still on its way. */
async function settled(page) {
  await page.waitForFunction(() => !document.querySelector('main .waiting, main [aria-busy="true"]'));
}

/** One h1, headings in order, nothing wider than the window, no word that accuses. */
async function assertWhole(page) {
  const found = await page.evaluate(() => {
    const levels = [...document.querySelectorAll('main h1, main h2, main h3, main h4')].map((one) =>
      Number(one.tagName[1]),
    );
    return {
      h1: document.querySelectorAll('h1').length,
      jumps: levels.filter((level, at) => at > 0 && level > levels[at - 1] + 1).length,
      tooWide: document.documentElement.scrollWidth > innerWidth,
      uncaptioned: [...document.querySelectorAll('table')].filter((one) => !one.caption?.textContent).length,
      accuses: /\bfakes?\b/i.test(document.querySelector('main')?.innerText ?? ''),
      titled: document.title.endsWith('rxtrail') && document.title !== 'rxtrail',
    };
  });
  assert.deepEqual(found, { h1: 1, jumps: 0, tooWide: false, uncaptioned: 0, accuses: false, titled: true });
}
