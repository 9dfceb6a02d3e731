// Reads the results that layer.c and kernels.mjs wrote to a folder.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hotLoop, straightAndLoops } from './loops.mjs';
import { loopsOf } from './spirv.mjs';

function nameOf({ name, gemm, split, constants = {} }) {
  // The panels, AT_ONCE and WG follow from the others.
  const { ROWS, COLUMNS, THREADS, ROW_PANELS, COLUMN_PANELS, AT_ONCE, WG, ...rest } = constants;
  const block = Math.sqrt((ROWS * COLUMNS) / THREADS);
  const tile = ROWS && COLUMNS ? `${ROWS}x${COLUMNS} by ${block}x${block}` : undefined;
  const set = Object.entries(rest).filter(([, value]) => value !== 0);
  const flags = set.map(([key, value]) => (value === 1 ? key : `${key}=${value}`));
  return [name, gemm, tile, split && gemm && 'split', ...flags].filter(Boolean).join(' ');
}

/** Returns the multiply-adds of an invocation per round of a GEMM kernel with tiles in workgroup memory; undefined for others. */
const roundFmaOf = ({ step, constants: { ROWS, COLUMNS, THREADS } = {} }) =>
  step && COLUMNS ? (step * ROWS * COLUMNS) / THREADS : undefined;

// Drivers use different names. Intel reports the registers that are live at the same time, of which there are 128.
const FIELDS = {
  vgprs: ['VGPRs', 'Max live registers'],
  sgprs: ['SGPRs'],
  spilledVgprs: ['Spilled VGPRs', 'Spill Count'],
  spilledSgprs: ['Spilled SGPRs'],
  fills: ['Fill Count'],
  scratch: ['Scratch size', 'Scratch Memory Size'],
  lds: ['LDS size', 'Workgroup Memory Size'],
  occupancy: ['Subgroups per SIMD'],
  instructions: ['Instructions', 'Instruction Count'],
  valu: ['VALU'],
  salu: ['SALU'],
  vmem: ['VMEM'],
  dual: ['VOPD'],
  latency: ['Latency'],
  inverseThroughput: ['Inverse Throughput'],
};

/** Returns the lines that layer.c and kernels.mjs wrote. */
export const readLog = (folder) =>
  readFileSync(join(folder, 'log.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

/** Returns the pipelines in a folder of results by name, in the order in which they were compiled. */
export function readResults(folder) {
  const lines = readLog(folder);
  const rows = new Map();
  let made;
  for (const line of lines) {
    if (line.number !== undefined) made = line;
    if (!line.name) continue;
    const name = nameOf(line);
    const known = rows.get(name);
    if (known) known.uses.add(line.use);
    if (!made) continue;
    const row = { ...rowOf(folder, line, made), roundFma: roundFmaOf(line) };
    // Two pipelines may have the same name: kernels of a ladder, or sizes that only the shader contains.
    let unique = name;
    for (let i = 2; rows.has(unique); i++) unique = `${name} #${i}`;
    rows.set(unique, { ...row, name: unique });
    made = undefined;
  }
  return rows;
}

/** Returns the driver's description of itself, with its version. */
export const driverOf = (folder) => readLog(folder).find(({ adapter }) => adapter).adapter.description;

function rowOf(folder, { use, key, step, constants }, { number, executables: [{ subgroupSize, statistics }] }) {
  const row = { uses: new Set([use]), key, step, constants, number, subgroupSize };
  for (const [field, names] of Object.entries(FIELDS))
    row[field] = names.map((name) => statistics[name]).find((v) => v !== undefined);
  const file = (extension) => join(folder, `${number}.${extension}`);
  if (existsSync(file('spv'))) Object.assign(row, loopsOf(readFileSync(file('spv'))));
  if (existsSync(file('asm'))) {
    const listing = readFileSync(file('asm'), 'utf8');
    Object.assign(row, { hot: hotLoop(listing), straight: straightAndLoops(listing) });
  }
  return row;
}
