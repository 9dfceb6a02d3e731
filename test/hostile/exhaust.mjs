// Run as a program, with the built library's file: limits its own address space, takes memory on the device until there
// is no more, and tells what came of it, a line of JSON each.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { pathToFileURL } from 'node:url';

const MIB = 2 ** 20;
const BLOCK = 64 * MIB;
const BLOCKS = 8;
// What is left to JavaScript when no further block fits.
const SPARE = 40 * MIB;
const MOST = 1000;

const { createGpu, empty, exp, mean, scale, tensor } = await import(pathToFileURL(process.argv[2]).href);
const tell = (what, fields) => process.stdout.write(`${JSON.stringify({ what, ...fields })}\n`);
const outcome = (promise) =>
  promise.then(
    (value) => ({ value }),
    ({ code, message }) => ({ code, message }),
  );

const gpu = await createGpu();
const x = tensor(gpu, [1, 2]);
// Whatever a first dispatch makes is made.
const twice = scale(x, 2);
await twice.read();

const held = [];
const taken = () => Number(/VmSize:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024;
execFileSync('prlimit', ['--pid', String(process.pid), `--as=${taken() + BLOCKS * BLOCK + SPARE}`]);

let refused;
while (!refused && held.length < MOST) {
  held.push(empty(gpu, [BLOCK / 4], 'f32', 'block'));
  const { code, message } = await outcome(gpu.idle());
  if (code) refused = { code, message };
}
tell('allocating', { blocks: held.length, ...refused });

// Nothing waits between these two: the failure is that of the allocation, not of what used it.
const last = empty(gpu, [BLOCK / 4], 'f32', 'wanted');
tell('reading what was computed from it', await outcome(scale(last, 2).read()));
tell('reading it', await outcome(last.read()));
tell('small work beside it', await outcome(scale(x, 3).read().then(String)));

// What is disposed before the device has answered is not given out again either.
empty(gpu, [BLOCK / 4], 'f32', 'given back').dispose();
await outcome(gpu.idle());
empty(gpu, [BLOCK / 4], 'f32', 'another');
tell('allocating again', await outcome(gpu.idle()));

// The pool takes back what there is, and gives out none of what there is not.
for (const block of [...held, last]) block.dispose();
const ones = exp(scale(empty(gpu, [BLOCK / 4]), 0));
tell('once there is room', await outcome(mean(ones).item()));
gpu.dispose();
