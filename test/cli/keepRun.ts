import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FakeOptions, fakeContext } from './fakes.ts';

// Runs of the command line in a folder of their own, without a GPU.

export const BASE = [
  'train',
  '--source',
  'fontdigits',
  '--target',
  'mnist',
  '--target-classes',
  '0-4',
  '--iterations',
  '200',
];

export let folder = '';
export let out = '';
/** Puts the run of this test elsewhere. */
export function runIn(path: string): void {
  out = path;
}

/** Gives every test of a suite an empty folder, and a place for its run. */
export function useRunFolder(suite: {
  before: { each(fn: () => void): void };
  after: { each(fn: () => void): void };
}): void {
  suite.before.each(() => {
    folder = mkdtempSync(join(tmpdir(), 'padagrad-keep-'));
    out = join(folder, 'run');
  });
  suite.after.each(() => rmSync(folder, { recursive: true, force: true }));
}

export const begin = async (fake: FakeOptions = {}, ...flags: string[]) => {
  const begun = fakeContext(fake);
  const code = await begun.run(...BASE, '--checkpoint-every', '20', '--out', out, ...flags);
  return { ...begun, code };
};
export const resume = async (...flags: string[]) => {
  const resumed = fakeContext();
  const code = await resumed.run('train', '--resume', out, ...flags);
  return { ...resumed, code };
};
/** A run that a signal ended at iteration 70; its newest checkpoints are 70 and 60. */
export const interrupted = (...flags: string[]) =>
  begin({ interruptAt: { iteration: 70, signal: 'SIGTERM' } }, ...flags);
export const checkpoints = (): string[] => readdirSync(out).filter((name) => name.startsWith('checkpoint-'));
export const rows = (): string[] => readFileSync(join(out, 'metrics.jsonl'), 'utf8').trim().split('\n');
export const content = (path: string) =>
  readdirSync(path).map((name) => [name, statSync(join(path, name)).mtimeMs, readFileSync(join(path, name))]);
