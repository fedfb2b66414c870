// What a scanner reads becomes the fields of a pack, or a reason why not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expiryDate, gtin14, readCode } from '../src/model/gs1';

const GS = '\u001d';
const PACK = { gtin: '08010007000028', serial: '7PY02AZSK3QV', lot: 'LT5AQQD', expiry: '2027-05-31' };

test('one pack is read from every form in which its code comes', () => {
  const forms = [
    '(01)08010007000028(21)7PY02AZSK3QV(17)270531(10)LT5AQQD',
    '(01) 08010007000028 (21) 7PY02AZSK3QV (17) 270531 (10) LT5AQQD',
    `010801000700002821${'7PY02AZSK3QV'}${GS}1727053110LT5AQQD`,
    `]d2${GS}010801000700002817270531${'10LT5AQQD'}${GS}217PY02AZSK3QV`,
    `010801000700002811250101172705313103001234${'10LT5AQQD'}${GS}217PY02AZSK3QV${GS}`,
    'https://id.example.org/01/08010007000028/10/LT5AQQD/21/7PY02AZSK3QV?17=270531',
    'https://example.org/some/path/01/8010007000028/21/7PY02AZSK3QV?17=270531&10=LT5AQQD',
  ];
  for (const form of forms) assert.deepEqual(readCode(form), PACK, form);
});

test('a serial may hold what a path must not', () => {
  assert.deepEqual(readCode('https://example.org/01/08010007000028/21/A%2FB%25C'), {
    gtin: PACK.gtin,
    serial: 'A/B%C',
    lot: '',
    expiry: '',
  });
  assert.deepEqual(readCode('(01)08010007000028(21)A(B)C'), { gtin: PACK.gtin, serial: 'A(B)C', lot: '', expiry: '' });
});

test('what is no code says why', () => {
  const told = (text: string) => {
    const read = readCode(text);
    return 'error' in read ? read.error : read;
  };
  assert.deepEqual(
    ['', 'aspirin', '(21)ABC', '(01)08010007000029', '0108010', 'https://example.org/products/1'].map(told),
    [
      'There is nothing to read.',
      '“aspirin” is no application identifier.',
      'It holds no GTIN (application identifier 01) with a right check digit.',
      'It holds no GTIN (application identifier 01) with a right check digit.',
      'The value of (01) is too short.',
      'It is no GS1 Digital Link: /01/ and a GTIN are missing.',
    ],
  );
});

test('a GTIN of any length becomes fourteen digits when its check digit is right', () => {
  assert.deepEqual(
    ['08010007000028', '8010007000028', '4006381333931', '96385074', '8010007000029', '801000700003', 'abc'].map(
      gtin14,
    ),
    ['08010007000028', '08010007000028', '04006381333931', '00000096385074', null, null, null],
  );
});

test('an expiry knows its century and the last day of its month', () => {
  assert.deepEqual(
    [
      expiryDate('270531', 2026),
      expiryDate('280200', 2026),
      expiryDate('270200', 2026),
      expiryDate('991231', 2026),
      expiryDate('271301', 2026),
      expiryDate('270230', 2026),
      expiryDate('', 2026),
    ],
    ['2027-05-31', '2028-02-29', '2027-02-28', '1999-12-31', '', '', ''],
  );
});
