// Makes each edit of test/mutations/*.mjs in a copy of the working tree, one at a time, and expects one of its tests to fail.
// `npm run mutate` tries all of them; filters pick by area, file or text: `npm run mutate -- engine shaders/max`.
// A failed build does not count as noticed. An edit that only the type checker can notice names the test `check`.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { readArgs } from './readArgs.mjs';
import { listMutations, runsNamed, showMutation, staleBecause } from './test/mutations.mjs';
import { listTests } from './test/plan.mjs';
import { killAll, runFile } from './test/runFile.mjs';

const SECONDS = 300;
const say = (text) => process.stdout.write(`${text}\n`);

const usage = 'npm run mutate -- [AREA or FILE ...] [--list]';
const { values: flags, positionals: filters } = readArgs(usage, {
  allowPositionals: true,
  options: { list: { type: 'boolean' } },
});
const wanted = ({ area, file }) =>
  filters.length === 0 || filters.some((filter) => area === filter || file.includes(filter));
const mutations = (await listMutations('test/mutations')).filter(wanted);
if (mutations.length === 0) {
  process.stderr.write(`mutate: no entry of test/mutations matches ${filters.join(' or ')}\n`);
  process.exit(2);
}
if (flags.list) {
  for (const mutation of mutations) say(`${mutation.area}  ${showMutation(mutation)}`);
  process.exit();
}

// Entries that no longer fit the sources come first, because they are found at once.
const sources = listTests('test', '.build/test');
const stale = mutations.filter((mutation) => staleBecause(mutation, sources));
for (const mutation of stale) say(`stale: ${showMutation(mutation)}: ${staleBecause(mutation, sources)}`);

const copy = mkdtempSync(join(tmpdir(), 'padagrad-mutate-'));
process.once('exit', () => rmSync(copy, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.once(signal, () => {
    killAll();
    process.exit(1);
  });
const git = spawnSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], { encoding: 'utf8' });
for (const file of git.stdout.split('\0').filter(Boolean)) cpSync(file, join(copy, file), { errorOnExist: false });
symlinkSync(join(process.cwd(), 'node_modules'), join(copy, 'node_modules'));
process.chdir(copy);

const node = (args) => spawnSync(process.execPath, args, { encoding: 'utf8' });
/** Builds what the named tests need; returns the error, if any. */
function build(named) {
  const files = new Set(named.filter((name) => name !== 'check').map((name) => name.replace(/ \[.*/, '')));
  if (files.size === 0) return undefined;
  // These tests run the published library.
  const whole = named.some((name) => /^(package\/|hostile\/memory)/.test(name));
  const only = [...files].map((name) => `--only=${name}`);
  const { status, stderr } = node([
    'build.mjs',
    ...(whole ? ['library', 'command', 'types'] : []),
    'programs',
    ...only,
  ]);
  return status === 0 ? undefined : stderr.trim();
}
const checkFails = () => node(['node_modules/typescript/bin/tsc', '--noEmit']).status !== 0;

/** Runs the named tests until one fails; returns its title and output. */
async function firstFailure(named, seconds) {
  const tests = listTests('test', '.build/test');
  for (const name of named) {
    if (name === 'check') {
      if (checkFails()) return { title: 'check', output: '' };
      continue;
    }
    for (const run of runsNamed(tests, name)) {
      const { failed, title, output, errors } = await runFile(run, { seconds, strict: false });
      if (failed > 0) return { title, output: `${output}${errors}` };
    }
  }
  return undefined;
}

// Tests must pass without edits, otherwise their failure means nothing.
const live = mutations.filter((mutation) => !stale.includes(mutation));
const tried = live.filter(({ equivalent }) => !equivalent);
const named = [...new Set(tried.flatMap(({ tests }) => tests))];
const failure = build(named);
if (failure) throw new Error(`mutate: the tree does not build\n${failure}`);
const took = new Map();
const broken = new Set();
for (const name of named) {
  const start = performance.now();
  const found = await firstFailure([name], SECONDS);
  took.set(name, (performance.now() - start) / 1000);
  if (found) broken.add(name);
  say(found ? `${found.title} FAILS without edits` : `${name} passes without edits, ${took.get(name).toFixed(1)} s`);
}

let noticed = 0;
const survivors = [];
for (const mutation of tried) {
  const { file, from, to } = mutation;
  const tests = mutation.tests.filter((name) => !broken.has(name));
  const original = readFileSync(file, 'utf8');
  writeFileSync(
    file,
    original.replace(from, () => to),
  );
  const unbuilt = build(tests);
  // An edit may make a test wait forever.
  const limit = 30 + 4 * Math.max(...took.values());
  const found = unbuilt ? undefined : await firstFailure(tests, limit);
  const uncompiled = file.endsWith('.wgsl') && /kernel does not compile/.test(found?.output ?? '');
  writeFileSync(file, original);
  if (found && !uncompiled) {
    noticed++;
    say(`noticed by ${found.title}: ${showMutation(mutation)}`);
    continue;
  }
  survivors.push(mutation);
  let problem = `SURVIVED ${tests.join(', ')}`;
  if (tests.length === 0) problem = 'its tests FAIL without it';
  if (unbuilt || uncompiled) problem = `does not build (${unbuilt?.split('\n')[0] ?? 'WGSL'})`;
  say(`${problem}: ${showMutation(mutation)}`);
}

if (survivors.length > 0) say('');
for (const mutation of survivors) say(`survivor: ${mutation.area}  ${showMutation(mutation)}`);
const equivalent = live.length - tried.length;
say(`\n${noticed} of ${tried.length} noticed, ${equivalent} equivalent, ${survivors.length} survived`);
if (stale.length > 0) say(`${stale.length} stale`);
process.exitCode = survivors.length + stale.length + broken.size > 0 ? 1 : 0;
