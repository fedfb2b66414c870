// What the page says when things are not well: refused, broken, empty, out of date, and what comes in while one reads.

import assert from 'node:assert/strict';

const problem = (status, code, detail) => ({
  status,
  contentType: 'application/problem+json',
  body: JSON.stringify({ type: `urn:rxtrail:problem:${code}`, title: 'Problem', status, code, detail }),
});

export function states(known) {
  return [
    [
      'a view that one may not see says so',
      (window) =>
        refused(
          window,
          '/lots',
          '**/v1/lots?*',
          problem(403, 'forbidden', 'not for this role'),
          'You may not see this',
        ),
    ],
    ['an answer that fails can be asked again', (window) => again(window)],
    ['a server that is gone is told from one that refuses', (window) => gone(window)],
    [
      'no party is an answer, not a fault',
      (window) =>
        refused(
          window,
          '/parties?q=x',
          '**/v1/parties?*',
          { json: { snapshot: known.system.snapshot, parties_list: [] } },
          'The registry names nobody so',
        ),
    ],
    ['hostile text stays text', (window) => hostile(window, known)],
    ['a new case is offered and not pushed; a withdrawn one is struck through', (window) => live(window, known)],
    ['a stream that is lost is told', (window) => lost(window)],
  ];
}

const FAILED_LOAD = /Failed to load resource/;

async function refused(window, path, pattern, answer, words) {
  window.expect(FAILED_LOAD);
  await window.page.route(pattern, (route) => route.fulfill(answer));
  await window.goto(path);
  await window.page.locator('main .state', { hasText: words }).waitFor();
  await window.assertAccessible();
}

async function again({ page, goto, expect }) {
  expect(FAILED_LOAD);
  let broken = true;
  await page.route('**/v1/contracts', (route) =>
    broken ? route.fulfill(problem(500, 'execution', 'the disk is full')) : route.continue(),
  );
  await goto('/contracts');
  await page.locator('main .state', { hasText: 'the disk is full' }).waitFor();
  broken = false;
  await page.getByRole('button', { name: 'Ask again' }).click();
  await page.locator('main table').first().waitFor();
}

async function gone({ page, goto, expect }) {
  expect(FAILED_LOAD);
  await page.route('**/v1/lots?*', (route) => route.abort());
  await goto('/lots');
  await page.locator('main .state', { hasText: 'rxtrail did not answer' }).waitFor();
}

async function hostile({ page, goto }, { alert }) {
  const evil = '<img src=x onerror="document.title=1"><b>bold</b> javascript:alert(1)';
  await page.route(`**/v1/alerts/${alert.case_key}`, async (route) => {
    const response = await route.fetch();
    const answer = await response.json();
    answer.alert = { ...answer.alert, came: evil, expected: evil, title: evil, accused: evil };
    await route.fulfill({ response, json: answer });
  });
  await goto(`/alerts/${alert.case_key}`);
  await page.locator('.said.large .came dd').waitFor();
  assert.equal(await page.locator('.said.large .came dd').innerText(), evil);
  assert.equal(await page.locator('main img, main b').count(), 0);
}

async function live({ page, goto, shot }, { alert }) {
  let speak;
  const spoken = new Promise((resolve) => {
    speak = resolve;
  });
  const fresh = { ...alert, case_key: `0x${'f'.repeat(64)}`, title: 'made for this test' };
  const notice = (sequence, kind, told) =>
    `event: notice\nid: 1:${sequence}:0\ndata: ${JSON.stringify({ case_key: told.case_key, revision: 9, kind, rule: told.rule, severity: told.severity, item: told.item, alert: told })}\n\n`;
  let first = true;
  await page.route('**/v1/alerts/live', async (route) => {
    await spoken;
    const body = first ? `retry: 600000\n\n${notice(1, 'opened', fresh)}${notice(2, 'withdrawn', alert)}` : ': \n\n';
    first = false;
    await route.fulfill({ status: 200, contentType: 'text/event-stream', body });
  });
  await goto('/alerts');
  const row = page.locator('.entry', { has: page.locator(`[id="case-${alert.case_key}"]`) });
  await row.waitFor();
  const before = await page.locator('.entry').count();
  speak();
  const offer = page.getByRole('button', { name: 'Show 1 new case' });
  await offer.waitFor();
  await row.locator('.badge.withdrawn').waitFor();
  await shot('alerts-live');
  assert.equal(await page.locator('.entry').count(), before);
  assert.equal(await page.locator('.fresh').getAttribute('aria-live'), 'polite');
  assert.match(
    await row.locator('.entry-name').evaluate((one) => getComputedStyle(one).textDecorationLine),
    /line-through/,
  );
  await offer.click();
  await offer.waitFor({ state: 'detached' });
}

async function lost({ page, goto, expect }) {
  expect(FAILED_LOAD);
  await page.route('**/v1/alerts/live', (route) => route.fulfill(problem(503, 'closed', 'stopping')));
  await goto('/system');
  await page.locator('.strip-state', { hasText: 'Stream lost' }).waitFor();
}
