// Compares what the compilers make of the hot kernels with the committed table bounds.md, in which every figure is a bound:
// `node check.mjs [--update] FOLDER ...`, one folder of results per family. A worse figure fails. `--update` writes the table.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { compareKernels, figuresOf, readBounds, showBounds } from './bounds.mjs';
import { driverOf, readResults } from './results.mjs';

const FILE = fileURLToPath(new URL('bounds.md', import.meta.url));
const say = (text) => process.stdout.write(`${text}\n`);

/** Compares the results in the folders with the table, or writes the table. Returns the exit code. */
function check(folders, update) {
  const table = existsSync(FILE) ? readBounds(readFileSync(FILE, 'utf8')) : new Map();
  let failed = false;
  for (const folder of folders) {
    const [family, driver] = [basename(folder), driverOf(folder)];
    const kernels = new Map([...readResults(folder)].map(([name, row]) => [name, figuresOf(row)]));
    const known = table.get(family) ?? { driver, kernels: new Map() };
    const { worse, better } = compareKernels(known.kernels, kernels);
    if (update) table.set(family, { driver, kernels });
    say(`${family}: ${kernels.size} kernels, ${worse.length} worse and ${better.length} better than the table`);
    if (driver !== known.driver) say(`  the table is for ${known.driver}, this is ${driver}: compilers differ too`);
    for (const line of worse) say(`  worse: ${line}`);
    for (const line of better) say(`  better: ${line}`);
    failed ||= worse.length > 0;
  }
  if (update) writeFileSync(FILE, showBounds(table));
  else if (failed) say('gpu-compile: if this is intended, `npm run gpu-compile -- --update` writes the table');
  return failed && !update ? 1 : 0;
}

const args = process.argv.slice(2);
const folders = args.filter((arg) => !arg.startsWith('--'));
process.exitCode = check(folders, args.includes('--update'));
