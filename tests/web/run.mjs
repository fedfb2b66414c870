// Opens the web page of a running rxtrail in a real browser and goes through it as its readers do.
//
//   rxtrail demo --listen 127.0.0.1:8080 &
//   node tests/web/run.mjs --url http://127.0.0.1:8080 --shots shots
//
// --chromium names the browser (/usr/bin/chromium). Exit code: 0 all is well, 1 something is not, 2 wrong arguments.

import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { openBrowser } from './browser.mjs';
import { learn } from './known.mjs';
import { Report } from './report.mjs';
import { states } from './states.mjs';
import { stories } from './stories.mjs';
import { views } from './views.mjs';
import { lookAtEach } from './look.mjs';

const USAGE = 'usage: node run.mjs --url http://127.0.0.1:PORT [--shots DIR] [--chromium PATH] [--only TEXT]';

function argumentsGiven() {
  try {
    const { values } = parseArgs({
      options: {
        url: { type: 'string' },
        shots: { type: 'string' },
        chromium: { type: 'string', default: '/usr/bin/chromium' },
        only: { type: 'string' },
      },
    });
    return values.url ? { ...values, origin: new URL(values.url).origin } : null;
  } catch {
    return null;
  }
}

const given = argumentsGiven();
if (given === null) {
  console.error(USAGE);
  process.exit(2);
}
if (given.shots) mkdirSync(given.shots, { recursive: true });

const report = new Report(given.only);
const known = await learn(given.origin);
console.log(`${given.origin}: case ${known.alert.rule} of ${known.alert.item}`);
const browser = await openBrowser(given);
try {
  await lookAtEach(browser, views(known), report);
  for (const [name, story] of [...stories(known), ...states(known)]) {
    await report.tell(name, async () => {
      const window = await browser.open();
      try {
        await story(window);
        window.assertClean();
      } finally {
        await window.close();
      }
    });
  }
} finally {
  await browser.close();
}
process.exitCode = report.end();
