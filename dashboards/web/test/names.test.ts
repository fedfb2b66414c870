// Keys, addresses of views, and where a search leads.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { itemHref, keyOf, keyPath, lotHref, partsOf, sqlHref } from '../src/model/key';
import { targetOf } from '../src/model/target';
import { routeOf } from '../src/routes';

const TOKEN = 'eip155:1/erc721:0x9d52400388d2289011f77ae2b6e66c0c689101e6/7';

test('every key says what it is', () => {
  assert.deepEqual(
    ['01/08010007000028/21/A%2FB', '01/08010007000028/10/L1', '00/080100070011400015', TOKEN, 'aspirin'].map(partsOf),
    [
      { kind: 'pack', gtin: '08010007000028', serial: 'A/B' },
      { kind: 'lot', gtin: '08010007000028', lot: 'L1' },
      { kind: 'unit', sscc: '080100070011400015' },
      { kind: 'token' },
      { kind: 'other' },
    ],
  );
});

test('a key comes back out of its address as it went in', () => {
  for (const key of [
    '01/08010007000028/21/7PY',
    '01/08010007000028/21/A%2FB%25',
    '01/08010007000028/21/a?b#c&d é',
    TOKEN,
  ]) {
    assert.equal(keyOf(keyPath(key)), key);
    const url = new URL(itemHref(key, { chain: 1, block_number: 759, log_index: 6 }), 'http://localhost');
    assert.deepEqual([routeOf(url.pathname).names, url.searchParams.get('at')], [{ key }, '1:759/6']);
  }
});

test('lots and statements have addresses too', () => {
  assert.deepEqual(routeOf(lotHref('08010007000028', 'A/1 %')).names, { gtin: '08010007000028', lot: 'A/1 %' });
  assert.equal(
    decodeURIComponent(new URL(sqlHref('SELECT 1 # ? %'), 'http://localhost').hash.slice(1)),
    'SELECT 1 # ? %',
  );
});

test('a search goes where the name points', () => {
  const hash = `0x${'ab'.repeat(32)}`;
  const address = `0x${'Ab'.repeat(20)}`;
  const found = [
    hash.toUpperCase().replace('0X', '0x'),
    address,
    '01/08010007000028/21/7PY',
    '(01)08010007000028(21)7PY',
    '08010007000028',
    '080100070011400015',
    '8010007000004',
    '7PY02AZSK3QV',
    ' LT5AQQD ',
  ].map(targetOf);
  assert.deepEqual(found, [
    { kind: 'go', href: `/alerts/${hash}` },
    { kind: 'address', address: address.toLowerCase() },
    { kind: 'go', href: '/items/01/08010007000028/21/7PY' },
    { kind: 'go', href: '/items/01/08010007000028/21/7PY' },
    { kind: 'go', href: '/lots?q=08010007000028' },
    { kind: 'go', href: '/items/00/080100070011400015' },
    { kind: 'text', text: '8010007000004' },
    { kind: 'text', text: '7PY02AZSK3QV' },
    { kind: 'text', text: 'LT5AQQD' },
  ]);
});
