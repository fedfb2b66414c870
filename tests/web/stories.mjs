// What readers do: find a fraud with three clicks, do the same without a mouse, search, verify, filter, ask, save.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { gtinOf, serialOf } from './known.mjs';

export function stories(known) {
  return [
    ['from the overview to the pedigree of a fraud in three clicks', (window) => threeClicks(window, known)],
    ['the same by keyboard alone', (window) => byKeyboard(window, known)],
    ['marks and the place in the queue stand in the address', (window) => marks(window)],
    ['the back button takes a filter back', (window) => backButton(window, known)],
    ['the search box leads to items, lots, contracts and cases', (window) => search(window, known)],
    ['a scanned code fills the form and is answered in plain words', (window) => verify(window, known)],
    ['the custody graph is expanded and asked by buttons', (window) => graph(window, known)],
    ['SQL is written, run, kept in the address and saved', (window) => sql(window)],
    ['a named query is run and saved', (window) => namedQuery(window, known)],
    ['colours and clock are the reader’s choice and are kept', (window) => choices(window)],
    ['a pedigree is printed without the frame', (window) => print(window, known)],
  ];
}

async function assertPedigree(page, { alert }) {
  await page.getByRole('heading', { level: 1, name: serialOf(alert.item) }).waitFor();
  await page.locator(`main a[href="/alerts/${alert.case_key}"]`).first().waitFor();
  assert.equal(new URL(page.url()).searchParams.get('at'), `${alert.chain}:${alert.block_number}/${alert.log_index}`);
  assert.ok(await page.locator('.alert-card', { hasText: alert.rule }).first().isVisible());
}

async function threeClicks({ page, goto }, known) {
  await goto('/');
  await page.getByRole('navigation').getByRole('link', { name: 'Alerts' }).click();
  await page.locator(`[id="case-${known.alert.case_key}"]`).click();
  await page.getByRole('link', { name: 'Pedigree at this event' }).click();
  await assertPedigree(page, known);
}

/** Presses a key until what has the focus is what is looked for. */
async function press(page, key, isThere, most) {
  for (let count = 0; count < most; count++) {
    await page.keyboard.press(key);
    if (await page.evaluate(isThere.look, isThere.for)) return count + 1;
  }
  throw new Error(`${most} times ${key} did not lead to ${isThere.for}`);
}

const link = (href) => ({ look: (wanted) => document.activeElement?.getAttribute('href') === wanted, for: href });
const focusOn = (id) => ({ look: (wanted) => document.activeElement?.id === wanted, for: id });

async function byKeyboard({ page, goto }, known) {
  await goto('/');
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Skip to the contents');
  await press(page, 'Tab', link('/alerts'), 12);
  await page.keyboard.press('Enter');
  await page.locator(`[id="case-${known.alert.case_key}"]`).waitFor();
  await press(page, 'j', focusOn(`case-${known.alert.case_key}`), 60);
  await page.keyboard.press('Enter');
  const pedigree = page.getByRole('link', { name: 'Pedigree at this event' });
  await pedigree.waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'H1');
  await press(page, 'Tab', link(await pedigree.getAttribute('href')), 12);
  await page.keyboard.press('Enter');
  await assertPedigree(page, known);
}

async function marks({ page, goto }) {
  await goto('/alerts');
  await page.locator('.entry').nth(2).waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  await page.keyboard.press('k');
  await page.keyboard.press('x');
  await page.getByText('2 cases marked').waitFor();
  const current = await page.locator('.entry.current a.case-link').getAttribute('id');
  await page.reload();
  await page.getByText('2 cases marked').waitFor();
  assert.equal(await page.locator('.entry.current a.case-link').getAttribute('id'), current);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('group', { name: 'Marked cases' }).getByRole('button', { name: 'Save as CSV' }).click(),
  ]);
  const lines = (await readFile(await download.path(), 'utf8')).trim().split('\r\n');
  assert.equal(lines[0].split(',')[0], 'case_key');
  assert.equal(lines.length, 3);
}

async function backButton({ page, goto }, known) {
  await goto('/alerts');
  const count = page.locator('.queue-count');
  const said = (total) =>
    page.waitForFunction(
      (wanted) => document.querySelector('.queue-count')?.textContent?.trim() === wanted,
      `${total.toLocaleString('en-GB')} ${total === 1 ? 'case' : 'cases'}`,
    );
  await page.locator('.entry').first().waitFor();
  const all = await count.innerText();
  await page.getByRole('button', { name: 'Critical' }).click();
  const { total } = await known.get('/v1/alerts?severity=critical&limit=1');
  await said(total);
  assert.equal(new URL(page.url()).searchParams.get('severity'), 'critical');
  assert.deepEqual(
    [...new Set(await page.locator('.entry .severity').allInnerTexts())].map((text) => text.trim()),
    ['Critical'],
  );
  await page.goBack();
  await page.waitForFunction(
    (wanted) => document.querySelector('.queue-count')?.textContent?.trim() === wanted,
    all.trim(),
  );
  assert.equal(await page.getByRole('button', { name: 'Critical' }).getAttribute('aria-pressed'), 'false');
}

async function search({ page, goto }, { alert, contracts, lot }) {
  await goto('/system');
  await page.getByRole('heading', { level: 1, name: 'System' }).waitFor();
  const to = async (text, path) => {
    await page.keyboard.press('/');
    await page.keyboard.insertText(text);
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => decodeURIComponent(url.pathname + url.search) === path);
    await page.evaluate(() => document.activeElement?.blur());
  };
  await to(serialOf(alert.item), `/items/${alert.item}`);
  await to(lot.gtin, `/lots?q=${lot.gtin}`);
  await to(alert.case_key, `/alerts/${alert.case_key}`);
  await to(contracts[0].contract, `/contracts?q=${contracts[0].contract}`);
  await to(`(01)${gtinOf(alert.item)}(21)${serialOf(alert.item)}`, `/items/${alert.item}`);
  await to('nobody-has-this', '/search?q=nobody-has-this');
}

const VERDICTS = {
  verified: 'Verified',
  suspect: 'Potential suspect falsification',
  not_verified: 'Not verified',
  unknown: 'Unknown',
};

async function verify({ page, goto, origin }, { alert }) {
  const [gtin, serial] = [gtinOf(alert.item), serialOf(alert.item)];
  const answer = await fetch(`${origin}/v1/verify`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ gtin, serial }),
  });
  const { verdict, reasons } = await answer.json();
  await goto('/verify');
  await page.getByLabel('Scanned code').fill(`]d201${gtin}21${serial}\u001d`);
  assert.deepEqual(
    [await page.getByLabel('Product code (GTIN)').inputValue(), await page.getByLabel('Serial number').inputValue()],
    [gtin, serial],
  );
  await page.getByRole('button', { name: 'Verify' }).click();
  await page.locator('.answer h2').waitFor();
  assert.equal((await page.locator('.answer h2').innerText()).trim(), VERDICTS[verdict]);
  assert.equal(await page.locator('.reasons li').count(), reasons.length);
  await page.getByLabel('Product code (GTIN)').fill('08010007000029');
  await page.getByRole('button', { name: 'Verify' }).click();
  await page.getByText('This is no GTIN').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'pack-gtin');
}

async function graph({ page, goto }, { pedigree }) {
  await goto(`/items/${pedigree.item}`);
  const node = page.locator('.graph .node').first();
  await node.focus();
  await page.keyboard.press('Enter');
  await page.locator('.chosen').waitFor();
  assert.equal(await node.getAttribute('aria-pressed'), 'true');
  assert.ok(new URL(page.url()).searchParams.get('holder'));
  await page.reload();
  await page.locator('.chosen').waitFor();
  await page.locator('.graph details summary').click();
  await page
    .locator('.graph details')
    .getByText(/Branch|never handed over/)
    .first()
    .waitFor();
}

async function sql({ page, goto }) {
  await goto('/sql');
  const editor = page.getByRole('textbox', { name: 'SQL statement' });
  await editor.click();
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText("SELECT 1 AS one, 'a/b' AS two");
  await page.keyboard.press('Control+Enter');
  await page.locator('.result td', { hasText: 'a/b' }).waitFor();
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText('SELECT 2 AS one');
  await page.keyboard.press('Control+Enter');
  await page.locator('.result td', { hasText: '2' }).waitFor();
  await page.goBack();
  await page.locator('.result td', { hasText: 'a/b' }).waitFor();
  await page.reload();
  await page.locator('.result td', { hasText: 'a/b' }).waitFor();
  assert.match(await editor.innerText(), /'a\/b' AS two/);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'CSV' }).click(),
  ]);
  assert.match(await readFile(await download.path(), 'utf8'), /^one,two\r?\n1,a\/b/);
}

async function namedQuery({ page, goto }, { queries }) {
  const query = queries.find((one) => one.parameters.every((parameter) => parameter.default !== null)) ?? queries[0];
  assert.ok(query, 'there is no named query');
  await goto(`/queries/${query.name}`);
  await page.getByRole('button', { name: 'Run' }).click();
  await page.locator('.result-bar').waitFor();
  assert.equal(new URL(page.url()).searchParams.get('run'), 'yes');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'CSV' }).click(),
  ]);
  const head = (await readFile(await download.path(), 'utf8')).split(/\r?\n/)[0];
  assert.ok(head.length > 0);
  await page.getByRole('link', { name: 'Open in SQL' }).click();
  await page.waitForURL((url) => url.pathname === '/sql' && decodeURIComponent(url.hash.slice(1)) === query.sql);
}

async function choices({ page, goto }) {
  await goto('/system');
  await page.getByLabel('Colours').selectOption('dark');
  await page.getByLabel('Times').selectOption('local');
  await page.reload();
  assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
  await page.locator('main time').first().waitFor();
  assert.match(await page.locator('main time').first().innerText(), /UTC[+−]\d\d:\d\d$/);
}

async function print({ page, goto, shot }, { alert }) {
  await goto(`/items/${alert.item}`);
  await page.locator('.rows .row').first().waitFor();
  await page.emulateMedia({ media: 'print' });
  assert.deepEqual(await Promise.all(['.rail', '.bar', '.rows'].map((part) => page.locator(part).isVisible())), [
    false,
    false,
    true,
  ]);
  await shot('pedigree-print');
}
