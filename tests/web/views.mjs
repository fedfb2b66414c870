// The views, each with an address and with what must be seen there, taken from the API.

import assert from 'node:assert/strict';
import { gtinOf, itemPath, serialOf } from './known.mjs';

const caption = (page, text) => page.locator('table', { has: page.locator('caption', { hasText: text }) });

/** Visible, or the view is broken. */
async function sees(page, ...texts) {
  for (const text of texts)
    await page.locator('main').getByText(text, { exact: false }).first().waitFor({ state: 'attached' });
}

/** How often a page and the API are compared while the chain goes on between the two questions. */
const TRIES = 10;

/** The page shows exactly as many rows as the API tells; both are asked again where the chain went on in between. */
async function same(page, rows, told) {
  for (let left = TRIES; ; left--) {
    await rows.first().waitFor();
    const [shown, expected] = [await rows.count(), await told()];
    if (shown === expected) return;
    assert.ok(left > 0, `${shown} shown, ${expected} told`);
    await page.reload();
  }
}

export function views(known) {
  return [...watching(known), ...tracing(known), ...asking(known)];
}

function watching({ alert, rules, system }) {
  const rule = rules.find((one) => one.code === alert.rule);
  return [
    {
      name: 'overview',
      path: '/',
      seen: async (page) => {
        await page.locator('.chart canvas').waitFor();
        await sees(page, 'Critical', 'Open by rule', 'Newest cases', String(system.chains[0].chain));
        await page.locator('.tiles a').nth(3).waitFor();
        assert.equal(await page.locator('.tiles a').count(), 4);
        await caption(page, 'Newest cases').locator('tbody tr').first().waitFor();
        await page.locator('.bars tbody tr').first().waitFor();
      },
    },
    {
      name: 'alerts',
      path: `/alerts?rule=${alert.rule}&at=${alert.case_key}`,
      seen: async (page) => {
        await page.locator(`[id="case-${alert.case_key}"]`).waitFor();
        await sees(page, 'Expected', 'Came', alert.title);
      },
    },
    { name: 'alerts-none', path: '/alerts?q=no-case-has-this', seen: (page) => sees(page, 'No case has all of this') },
    {
      name: 'case',
      path: `/alerts/${alert.case_key}`,
      seen: async (page) => {
        await page.getByRole('heading', { level: 1, name: alert.rule }).waitFor();
        await sees(page, alert.tx_hash, 'What looks like it and is innocent', 'Opened');
        assert.equal(await page.locator('.innocent li').count(), rule.innocent.length);
      },
    },
    { name: 'case-missing', path: `/alerts/0x${'0'.repeat(64)}`, fails: true, seen: notFound },
    { name: 'system', path: '/system', seen: (page) => sees(page, system.version, 'Dead letters', 'Incidents') },
    { name: 'missing', path: '/nowhere', seen: (page) => sees(page, 'leads nowhere') },
  ];
}

async function notFound(page) {
  await sees(page, 'Not found', 'not-found');
}

function tracing({ alert, lot, lotAnswer, parties, contracts, get }) {
  const item = () => get(`/v1/items/${itemPath(alert.item)}`);
  return [
    {
      name: 'pedigree',
      path: `/items/${itemPath(alert.item)}?at=${alert.chain}:${alert.block_number}/${alert.log_index}`,
      seen: async (page) => {
        await page.locator('.rows .row').first().waitFor();
        await same(page, page.locator('.rows .row'), async () => (await item()).entries.length);
        await page.locator('main a', { hasText: alert.rule }).first().waitFor();
        await page.locator('.graph svg .node').first().waitFor();
        await same(page, caption(page, 'Who had it').locator('tbody tr'), async () => (await item()).custody.length);
      },
    },
    { name: 'pedigree-missing', path: '/items/01/09999999999994/21/NOBODY', fails: true, seen: notFound },
    { name: 'verify', path: '/verify', seen: (page) => page.getByLabel('Product code (GTIN)').waitFor() },
    {
      name: 'verify-answer',
      path: `/verify?gtin=${gtinOf(alert.item)}&serial=${serialOf(alert.item)}`,
      seen: (page) =>
        page
          .getByRole('heading', { name: alert.standing === 'explained' ? /./ : 'Potential suspect falsification' })
          .first()
          .waitFor(),
    },
    {
      name: 'lots',
      path: '/lots',
      seen: async (page) => {
        await page.locator('tbody tr').first().waitFor();
        await same(page, page.locator('tbody tr'), async () => (await get('/v1/lots?limit=100')).lots.length);
      },
    },
    {
      name: 'lot',
      path: `/lots/${lot.gtin}/${encodeURIComponent(lot.lot)}`,
      seen: async (page) => {
        await page.getByRole('heading', { name: `Lot ${lot.lot}` }).waitFor();
        await caption(page, 'Units by state').waitFor();
        const path = `/v1/lots/${lot.gtin}/${encodeURIComponent(lot.lot)}`;
        const rows = caption(page, 'Units by state').locator('tbody tr');
        await same(page, rows, async () => (await get(path)).states.length);
        if (lotAnswer.recalls.length > 0) await sees(page, 'How far the recall reaches', lotAnswer.recalls[0].id);
      },
    },
    {
      name: 'contracts',
      path: '/contracts',
      seen: (page) => sees(page, 'Authoritative', 'Recognised', 'Unknown', contracts[0].contract),
    },
    {
      name: 'parties',
      path: `/parties?q=${parties[0].gln}`,
      seen: (page) => sees(page, parties[0].name, parties[0].gln),
    },
    {
      name: 'search',
      path: `/search?q=${serialOf(alert.item)}`,
      seen: (page) => page.locator('main table a.item-link').first().waitFor(),
    },
  ];
}

function asking({ queries }) {
  const statement =
    'SELECT rule, severity, count(*) AS cases FROM alerts GROUP BY rule, severity ORDER BY rule, severity';
  return [
    {
      name: 'queries',
      path: '/queries',
      seen: async (page) => {
        await page.locator('.card').first().waitFor();
        assert.deepEqual(
          await page.locator('.card h2').allInnerTexts(),
          queries.map((one) => one.title),
        );
      },
    },
    ...queries.slice(0, 1).map((query) => ({
      name: 'query',
      path: `/queries/${query.name}`,
      seen: async (page) => {
        await page.getByRole('heading', { level: 1, name: query.title }).waitFor();
        await sees(page, query.why);
      },
    })),
    {
      name: 'sql',
      path: `/sql#${encodeURIComponent(statement)}`,
      seen: async (page) => {
        await page.locator('.result tbody tr').first().waitFor();
        await page.locator('.schema details').first().waitFor();
        await sees(page, 'As of commit');
      },
    },
    {
      name: 'sql-fault',
      path: `/sql#${encodeURIComponent('SELECT nothing FROM nowhere')}`,
      fails: true,
      seen: (page) => sees(page, 'This could not be asked'),
    },
  ];
}
