// What the running rxtrail knows: the tests take their cases, items and lots from it, whatever seed it plays.

import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';

const CASES = 6;
const WAIT_MS = 180_000;

async function get(origin, path) {
  const response = await fetch(origin + path, { headers: { accept: 'application/json' } });
  assert.equal(response.status, 200, `GET ${path} is ${response.status}: ${await response.clone().text()}`);
  return response.json();
}

/** Waits until enough is flagged to look at, then takes what the views are opened with. */
export async function learn(origin) {
  const until = Date.now() + WAIT_MS;
  let page = await get(origin, '/v1/alerts?limit=50');
  while (page.total < CASES || !page.alerts.some(isPackCase)) {
    assert.ok(Date.now() < until, `only ${page.total} cases after ${WAIT_MS / 1000} s`);
    await pause(1_000);
    page = await get(origin, '/v1/alerts?limit=50');
  }
  const alert =
    page.alerts.filter(isPackCase).find((one) => one.severity === 'critical') ?? page.alerts.find(isPackCase);
  const pedigree = await get(origin, `/v1/items/${itemPath(alert.item)}`);
  const { lots } = await get(origin, '/v1/lots?limit=100');
  assert.ok(lots.length > 0, 'there is no lot');
  const lot =
    lots.find((one) => one.recalled && one.commissioned > 0) ?? lots.find((one) => one.commissioned > 0) ?? lots[0];
  return {
    origin,
    alert,
    pedigree,
    lot,
    lots,
    lotAnswer: await get(origin, `/v1/lots/${lot.gtin}/${encodeURIComponent(lot.lot)}`),
    system: await get(origin, '/v1/system'),
    rules: (await get(origin, '/v1/rules')).rules,
    parties: (await get(origin, '/v1/parties')).parties_list,
    contracts: (await get(origin, '/v1/contracts')).contracts,
    queries: (await get(origin, '/v1/queries')).queries,
    get: (path) => get(origin, path),
  };
}

/** A pack of its own name, so that its story can be verified too. */
function isPackCase(alert) {
  return /^01\/\d{14}\/21\/[A-Za-z0-9]+$/.test(alert.item ?? '');
}

export const itemPath = (key) => encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%3A', ':');
export const gtinOf = (key) => key.split('/')[1];
export const serialOf = (key) => key.split('/')[3];
