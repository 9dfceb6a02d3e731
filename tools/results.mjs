// The table of the devices that people measured, one file of `npm run bench -- --json FILE` or of the kernel lab each, in docs/results.
// To add a file that somebody sent, put it there and run `node tools/figures.mjs`.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = 'docs/results';
const FIELDS = ['date', 'commit', 'command', 'runtime', 'device', 'load', 'peaks', 'rows'];

// The columns of rows: title, bench, shape, and how a row is shown.
const speed = ({ gflops, percentOfPeak }) => `${short(gflops)} (${percentOfPeak.toFixed(0)} %)`;
const time = ({ medianMs }) => `${short(medianMs)} ms`;
const MEASURED = [
  ['matmul 512', 'matmul', '512x512x512', speed],
  ['matmul 1024', 'matmul', '1024x1024x1024', speed],
  ['conv2d 5x5, 16 to 32 channels', 'conv2d', '64x16x12x12*32x16x5x5', speed],
  ['softmax + column mean 4096x31', 'softmax-column-mean', '4096x31', time],
  ['CNN step', 'cnn-step', '64x1x28x28', time],
  ['PADA step', 'pada-step', '64+64x1x28x28', time],
];

/** Returns the header and the lines of the table, the fastest device first. */
export function resultCells() {
  const results = readdirSync(FOLDER)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => read(join(FOLDER, name)))
    .sort((a, b) => peakOf(b) - peakOf(a));
  return {
    header: ['device', 'peak GFLOP/s', 'copy GB/s', ...MEASURED.map(([title]) => title), 'largest regret', 'recorded'],
    lines: results.map((result) => [
      nameOf(result.device),
      short(peakOf(result)),
      short(result.peaks.copyGbps),
      ...MEASURED.map(([, bench, shape, show]) => cellOf(result.rows, bench, shape, show)),
      regretOf(result.variants),
      recordedBy(result),
    ]),
  };
}

/** Reads a result. Throws if it lacks a field, so that a file of another form cannot give an empty line. */
function read(path) {
  const result = JSON.parse(readFileSync(path, 'utf8'));
  const absent = FIELDS.filter((field) => !(field in result));
  if (absent.length > 0)
    throw new Error(
      `${path}: it lacks ${absent.join(', ')}; use a file of \`npm run bench -- --json FILE\` or of the page`,
    );
  return result;
}

const peakOf = ({ peaks }) => Math.max(peaks.scalarGflops, peaks.vectorGflops);

/** A software adapter is marked. Browsers name only a GPU's vendor and architecture. */
function nameOf({ name, vendor, software }) {
  const known = name === 'unnamed' ? vendor : name.replace(/-$/, '');
  return software ? `${known} (software)` : known;
}

function cellOf(rows, bench, shape, show) {
  const row = rows.find((one) => one.bench === bench && one.shape === shape && one.peer === 'padagrad');
  if (!row) return '–';
  return row.verified ? show(row) : '**wrong**';
}

/** The largest regret of a matmul's choice, of those that were measured. */
function regretOf(variants = []) {
  const regrets = variants.map(({ regret }) => regret).filter((regret) => regret !== null);
  return regrets.length > 0 ? `${(100 * Math.max(...regrets)).toFixed(0)} %` : '–';
}

const recordedBy = ({ date, runtime, load }) =>
  `${date}, ${runtime}${load === null ? '' : `, load average ${load.toFixed(0)}`}`;

const short = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(2));
