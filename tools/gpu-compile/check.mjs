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
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const folder of folders) {
    const [family, driver] = [basename(folder), driverOf(folder)];
    const kernels = new Map([...readResults(folder)].map(([name, row]) => [name, figuresOf(row)]));
    const known = table.get(family) ?? { driver, kernels: new Map() };
    if (update) table.set(family, { driver, kernels });
    if (driver !== known.driver && !update) {
      say(`${family}: not compared, because compilers differ: the table is for ${known.driver}, this is ${driver}`);
      counts.skipped += kernels.size;
      continue;
    }
    const { worse, better } = compareKernels(known.kernels, kernels);
    say(`${family}: ${kernels.size} kernels, ${worse.length} figures worse and ${better.length} better than the table`);
    for (const line of worse) say(`  worse: ${line}`);
    for (const line of better) say(`  better: ${line}`);
    const failed = new Set(worse.map((line) => /^(.*?)(: | is )/.exec(line)[1])).size;
    counts.failed += failed;
    counts.passed += new Set([...kernels.keys(), ...known.kernels.keys()]).size - failed;
  }
  if (update) {
    writeFileSync(FILE, showBounds(table));
    return 0;
  }
  if (counts.failed > 0) say('gpu-compile: if this is intended, `npm run gpu-compile -- --update` writes the table');
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
  say(`${counts.passed} passed, ${counts.failed} failed${skipped}`);
  return counts.failed > 0 ? 1 : 0;
}

const args = process.argv.slice(2);
const folders = args.filter((arg) => !arg.startsWith('--'));
process.exitCode = check(folders, args.includes('--update'));
