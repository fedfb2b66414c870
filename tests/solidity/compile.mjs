// Compiles contracts/*.sol with solc-js, and writes {abi, bytecode} of each into a folder:
//
//   node compile.mjs <folder of node_modules> <folder of contracts> <folder to write>
//
// Imports are read from node_modules and from nowhere else.

import { createRequire } from "node:module";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";

const [modules, contracts, output] = process.argv.slice(2).map((path) => resolve(path));
const solc = createRequire(join(modules, "here.js"))("solc");

const files = readdirSync(contracts).filter((file) => file.endsWith(".sol")).sort();
const input = {
  language: "Solidity",
  sources: Object.fromEntries(files.map((file) => [file, { content: readFileSync(join(contracts, file), "utf8") }])),
  settings: {
    evmVersion: "cancun",
    optimizer: { enabled: true, runs: 200 },
    outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
  },
};

function findImport(path) {
  try {
    return { contents: readFileSync(join(modules, path), "utf8") };
  } catch (error) {
    return { error: `${path}: ${error.message}` };
  }
}

const answer = JSON.parse(solc.compile(JSON.stringify(input), { import: findImport }));
const complaints = answer.errors ?? [];
for (const complaint of complaints) console.error(complaint.formattedMessage);
if (complaints.length > 0) process.exit(1);

mkdirSync(output, { recursive: true });
for (const file of files) {
  const name = basename(file, ".sol");
  const { abi, evm } = answer.contracts[file][name];
  writeFileSync(join(output, `${name}.json`), `${JSON.stringify({ abi, bytecode: `0x${evm.bytecode.object}` })}\n`);
}
console.log(`compiled ${files.length} contracts with solc ${solc.version()}`);
