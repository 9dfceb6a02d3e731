// Writes what the cost model needs to docs/figures/kernels.json: the instructions, registers and workgroup memory of each pipeline, and
// the dispatches of each step: `node model.mjs FOLDER ...`, one folder of results per family.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import process from 'node:process';
import { driverOf, readLog, readResults } from './results.mjs';

// Intel's threads own 128 registers of 32 bytes, whether they use them or not.
const INTEL_THREAD = 128 * 32;

const KINDS = ['fma', 'vector', 'memoryWords', 'ldsWords', 'barriers'];
/** Adds the counts of loops or of straight code, by kind. */
const sum = (...counts) => KINDS.map((kind) => counts.reduce((total, one) => total + (one[kind] ?? 0), 0));
const minus = (all, parts) => all.map((count, i) => parts.reduce((rest, part) => rest - part[i], count));

function pipelineOf(row) {
  const { invocations, lds, subgroupSize, vgprs, spilledVgprs, straight, hot, step, constants, key } = row;
  const isIntel = row.sgprs === undefined;
  const shared = { invocations, lds, registerBytes: isIntel ? INTEL_THREAD / subgroupSize : 4 * vgprs };
  const spilled = spilledVgprs > 0 ? { spilled: spilledVgprs } : {};
  if (!key.includes('.gemm')) {
    // Its loops read the same tensors, so they take as many rounds as the one that moves the most words per round.
    const words = Math.max(0, ...straight.loops.map(({ memoryWords }) => memoryWords));
    return {
      ...shared,
      ...spilled,
      once: sum(straight.once),
      ...(words > 0 && { loop: sum(...straight.loops), words }),
    };
  }
  // All code runs once but the loop over k and, in it, the loop that adds up a tile, unless the compiler unrolled it.
  const parts = hot.around.length > 0 ? { round: sum(...hot.around), inner: sum(hot) } : { round: sum(hot) };
  const once = minus(sum(straight.once, ...straight.loops), Object.values(parts));
  const { ROWS: rows, COLUMNS: columns } = constants;
  return { ...shared, ...spilled, gemm: { rows, columns, step }, once, ...parts };
}

const families = Object.fromEntries(
  process.argv.slice(2).map((folder) => {
    const rows = [...readResults(folder).values()];
    const steps = readLog(folder)
      .filter(({ run }) => run)
      .map(({ run, ...step }) => [run, step]);
    const pipelines = rows.map((row) => [row.key, pipelineOf(row)]);
    const known = Object.fromEntries(pipelines);
    for (const [run, { works }] of steps)
      for (const { pipeline } of works)
        if (!known[pipeline]) throw new Error(`gpu-compile: ${run} uses ${pipeline}, which was not compiled`);
    const lanes = rows[0].subgroupSize;
    return [basename(folder), { driver: driverOf(folder), lanes, pipelines: known, steps: Object.fromEntries(steps) }];
  }),
);
const commit = execFileSync('git', ['describe', '--always', '--dirty', '--exclude', '*'], { encoding: 'utf8' }).trim();
const date = new Date().toISOString().slice(0, 10);
const header = { date, commit, command: 'npm run gpu-compile -- --model', kinds: KINDS };
// A line per pipeline and step, so that a difference between two recordings can be read.
const lines = (entries) =>
  Object.entries(entries)
    .map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`)
    .join(',\n');
const text = Object.entries(families).map(
  ([name, { pipelines, steps, ...rest }]) =>
    `${JSON.stringify(name)}: {\n${lines(rest)},\n"pipelines": {\n${lines(pipelines)}\n},\n"steps": {\n${lines(steps)}\n}\n}`,
);
writeFileSync('docs/figures/kernels.json', `{\n${lines(header)},\n"families": {\n${text.join(',\n')}\n}\n}\n`);
process.stdout.write(`gpu-compile: wrote docs/figures/kernels.json\n`);
