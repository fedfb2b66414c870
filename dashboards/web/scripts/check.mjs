// Everything that must hold for a commit: types, format, house rules, unit tests, licences, and that `dist` is what the sources
// build, small enough and with nothing from elsewhere in it.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const root = fileURLToPath(new URL('..', import.meta.url));
const faults = [];
const fault = (text) => faults.push(text);

/** Script that the overview needs before it stands, gzipped. */
const FIRST_BYTES = 60_000;
/** Script that the SQL view needs on top of it. */
const SQL_BYTES = 220_000;
const FILE_LINES = 400;
const LICENCES = new Set(['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD']);

function files(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? files(join(folder, entry.name)) : [join(folder, entry.name)]))
    .sort();
}

function run(name, ...command) {
  const { status } = spawnSync(command[0], command.slice(1), { cwd: root, stdio: 'inherit' });
  if (status !== 0) fault(`${name} failed`);
}

const bin = (name) => join(root, 'node_modules', '.bin', name);

function houseRules() {
  const banned =
    /\binnerHTML\b|dangerouslySetInnerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function\(|@ts-ignore|\bas any\b|: any\b/;
  for (const file of [...files(join(root, 'src')), ...files(join(root, 'test')), ...files(join(root, 'scripts'))]) {
    if (!/\.(ts|tsx|mjs|css)$/.test(file)) continue;
    const name = relative(root, file);
    const text = readFileSync(file, 'utf8');
    if (text.split('\n').length > FILE_LINES) fault(`${name} has more than ${FILE_LINES} lines`);
    if (!/^(\/\/|\/\*) \S/.test(text)) fault(`${name} does not open with what it is`);
    const found = name.endsWith('check.mjs') ? null : banned.exec(text);
    if (found) fault(`${name} has ${found[0]}`);
  }
}

function licences() {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  for (const [path, { license }] of Object.entries(packages)) {
    if (!LICENCES.has(license)) fault(`${path || 'the page'} has the licence ${license}`);
  }
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    if (!/^\d+\.\d+\.\d+$/.test(version)) fault(`the version of ${name} is not exact: ${version}`);
  }
}

/** `dist` holds the same files with the same bytes as a build of now. */
function sameAsBuilt(built) {
  const dist = join(root, 'dist');
  const names = (folder) => files(folder).map((file) => relative(folder, file));
  const now = new Set(names(built).filter((name) => name !== 'manifest.json'));
  const committed = new Set(names(dist));
  for (const name of now) {
    if (!committed.has(name)) fault(`dist lacks ${name}: npm run build`);
    else if (!readFileSync(join(built, name)).equals(readFileSync(join(dist, name))))
      fault(`dist/${name} is not what the sources build`);
  }
  for (const name of committed) if (!now.has(name)) fault(`dist has ${name}, which the sources do not build`);
}

/** Gzipped bytes of the chunks that the given ones need to stand. */
function scriptBytes(built, manifest, roots) {
  const chunks = new Set();
  const walk = (key) => {
    const chunk = manifest[key];
    if (!chunk || chunks.has(chunk.file)) return;
    chunks.add(chunk.file);
    for (const next of chunk.imports ?? []) walk(next);
  };
  roots.forEach(walk);
  return [...chunks]
    .filter((file) => file.endsWith('.js'))
    .reduce((sum, file) => sum + gzipSync(readFileSync(join(built, file)), { level: 9 }).length, 0);
}

function budget(built) {
  const manifest = JSON.parse(readFileSync(join(built, 'manifest.json'), 'utf8'));
  const first = scriptBytes(built, manifest, ['index.html', 'src/views/overview.tsx', 'src/parts/chart.tsx']);
  const sql = scriptBytes(built, manifest, ['index.html', 'src/views/sql.tsx']);
  console.log(
    `script of the overview ${first} of ${FIRST_BYTES} bytes gzipped, of the SQL view ${sql} of ${SQL_BYTES}`,
  );
  if (first > FIRST_BYTES) fault(`the overview needs ${first} bytes of script, more than ${FIRST_BYTES}`);
  if (sql > SQL_BYTES) fault(`the SQL view needs ${sql} bytes of script, more than ${SQL_BYTES}`);
}

/** Names of things, not addresses that anything is fetched from. */
const NAMESPACES = /^http:\/\/(www\.w3\.org|localhost)/;

function nothingFromElsewhere() {
  for (const file of files(join(root, 'dist'))) {
    const name = relative(root, file);
    const text = readFileSync(file, 'utf8');
    for (const [address] of text.matchAll(/https?:\/\/[\w.-]+/g)) {
      if (!NAMESPACES.test(address)) fault(`${name} names ${address}`);
    }
    if (name.endsWith('.html') && /<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/i.test(text))
      fault(`${name} has something inline`);
    if (name.includes('assets') && !/-[\w-]{8}\.\w+$/.test(name)) fault(`${name} has no hash in its name`);
    if (statSync(file).size === 0) fault(`${name} is empty`);
  }
}

run('the type check', bin('tsc'), '--noEmit');
run(
  'the format',
  bin('prettier'),
  '--check',
  '--log-level',
  'warn',
  '{src,test,scripts}/**/*.{ts,tsx,mjs}',
  'vite.config.ts',
);
houseRules();
licences();
run('the unit tests', process.execPath, join(root, 'scripts', 'unit.mjs'));
const built = mkdtempSync(join(tmpdir(), 'rxtrail-web-built-'));
try {
  run(
    'the build',
    bin('vite'),
    'build',
    '--outDir',
    built,
    '--emptyOutDir',
    '--manifest',
    'manifest.json',
    '--logLevel',
    'warn',
  );
  sameAsBuilt(built);
  budget(built);
  nothingFromElsewhere();
} finally {
  rmSync(built, { recursive: true, force: true });
}
for (const text of faults) console.error(`✗ ${text}`);
console.log(faults.length === 0 ? 'all is well' : `${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;
