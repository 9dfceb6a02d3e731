// Every text that the lab's code writes. Text that never changes stands in index.html.
import { count } from '../shared/words.ts';

/** The status line. */
export const STATUS = {
  ready: 'Ready: edit the kernel or run it.',
  readyAgain: 'Ready.',
  reset: 'Reset to the shipped version.',
  stopped: 'Stopped.',
  stoppingBenchmark: 'Stopping after this row.',
  noGpu: 'WebGPU is not available.',
  cannotOpen: 'This kernel cannot be opened here.',
  benchmarkFailed: (rows: number) => `Stopped by an error after ${rows} rows.`,
  benchmarkDone: (rows: number) => `Measured ${rows} rows.`,
  noResult: 'No result: see the message.',
  compileError: 'Compile error.',
  correct: 'Correct.',
  wrong: 'Wrong result.',
  waitsForGpu: (problem: string) => `${problem} You can continue as soon as the GPU recovers.`,
  linkCopied: 'Link copied (your edits are not included).',
  linkNotCopied: 'Could not copy; use the link in the address bar (your edits are not included).',
};

/** The worker's phases, shown in the status line. */
export const PHASES = {
  opening: 'Compiling the shipped kernel…',
  compiling: 'Compiling…',
  guarding: 'Checking for endless loops…',
  checking: 'Running and checking every element…',
  checkingKernel: (kernel: string) => `Running ${kernel} and checking every element…`,
  reference: 'Computing the float64 reference…',
  timing: (kernels: readonly string[]) => `Timing ${kernels.join(', ')}…`,
  measuring: (bench: string, shape: string) => `Measuring ${bench} ${shape}…`,
  variants: (bench: string) => `Timing every variant of ${bench}…`,
  peaks: 'Measuring this adapter’s peak…',
};

/** Why there is no result. */
export const PROBLEMS = {
  gpuLost: 'The GPU device was lost. This happens when a kernel runs too long or accesses invalid memory.',
  endless: 'A loop may never end: in a guarded test run it exceeded the iteration limit. The kernel was not run.',
  slow: (seconds: string) => `Stopped: the kernel was still running after ${seconds} seconds.`,
  redeclared: 'You changed the bindings or `Params`. The host code expects the original ones; please restore them.',
  outdated: 'The previous text did not compile.',
  worker: (why: string) => `The worker that runs kernels failed: ${why}. Reload the page.`,
  unknownKernel: (kernel: string, op: string, shape: string) => `There is no kernel '${kernel}' for ${op} ${shape}.`,
  otherFiles: (code: string) => `A kernel is not joined from known files: ${code}`,
  wrongElements: (n: number, result: string) => `${n} wrong elements in ${result}`,
};

export const BUTTONS = { run: 'Run', measure: 'Measure', stop: 'Stop' };

export const CHOICES = {
  peaks: (gflops: string, gbps: string) => `peak ${gflops} GFLOP/s, copy ${gbps} GB/s`,
  shape: (shape: string, hasLadder: boolean) => `${shape.replaceAll('x', ' × ')}${hasLadder ? ' (ladder)' : ''}`,
};

export const KERNEL = {
  edited: 'edited',
  errors: 'errors',
  notes: 'Shapes, parallelisation, numerics',
  label: (path: string) => `WGSL of ${path}`,
};

export const RESULT = {
  none: 'Not run yet.',
  running: 'Running.',
  stale: (verdict: string) => `${verdict} (before your last edit)`,
  compileErrors: (n: number) => `${n} compile ${n === 1 ? 'error' : 'errors'}`,
  wrong: (wrong: number, all: number, first: string) =>
    `Wrong: ${count(wrong)} of ${count(all)} elements, first at ${first}. Not timed.`,
  correct: (all: number) => `Correct: all ${count(all)} elements.`,
  same: ' Same speed.',
  compared: (times: string, faster: boolean, apart: boolean) =>
    ` ${times}× ${faster ? 'faster' : 'slower'}${apart ? '' : ' (within noise)'}.`,
  columns: ['element', 'kernel', 'float64', ''],
  cell: { correct: 'correct', wrong: 'wrong' },
  tolerance: (allowed: string) => `Tolerance ${allowed}, for float32 rounding and summation order.`,
  place: (path: string, line: number, column: number) => (line > 0 ? `${path}, line ${line}, column ${column}` : path),
  edited: (kernel: string) => `${kernel}, edited`,
  wrongHere: (problem: string) => `wrong on this adapter: ${problem}`,
  medians: (counted: 'flops' | 'bytes') =>
    `Median times; % of this adapter’s measured ${counted === 'flops' ? 'multiply-add peak' : 'copy bandwidth'}. Browsers and Node use different drivers and timers, so the same kernel may be slower here than with npm run bench.`,
};

export const BENCHMARK = {
  rows: (done: number, all: number) => `${done} of ${all} rows`,
  send: (file: string) =>
    `Done. Please send ${file}: open an issue and attach the file. It holds what this page shows, and nothing else.`,
};
