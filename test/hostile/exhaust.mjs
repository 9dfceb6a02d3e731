// As a program, with the path of the built library: limits its own address space, allocates on the device until no memory is left,
// and prints the outcome of each step as a line of JSON.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { pathToFileURL } from 'node:url';

const MIB = 2 ** 20;
const BLOCK = 64 * MIB;
const BLOCKS = 8;
// Memory for JavaScript when no further block fits.
const SPARE = 40 * MIB;
const MOST = 1000;

const { createGpu, empty, exp, mean, scale, tensor } = await import(pathToFileURL(process.argv[2]).href);
const print = (what, fields) => process.stdout.write(`${JSON.stringify({ what, ...fields })}\n`);
const outcome = (promise) =>
  promise.then(
    (value) => ({ value }),
    ({ code, message }) => ({ code, message }),
  );

const gpu = await createGpu();
const x = tensor(gpu, [1, 2]);
// The first dispatch allocates what all dispatches share.
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
print('allocating', { blocks: held.length, ...refused });

// There is no await in between, so the error must name the allocation, not the op that used it.
const last = empty(gpu, [BLOCK / 4], 'f32', 'wanted');
print('reading what was computed from it', await outcome(scale(last, 2).read()));
print('reading it', await outcome(last.read()));
print('small work in the meantime', await outcome(scale(x, 3).read().then(String)));

// A failed buffer that is disposed before the device has answered must not be reused.
empty(gpu, [BLOCK / 4], 'f32', 'returned').dispose();
await outcome(gpu.idle());
empty(gpu, [BLOCK / 4], 'f32', 'another');
print('allocating again', await outcome(gpu.idle()));

// The pool reuses real buffers and no failed ones.
for (const block of [...held, last]) block.dispose();
const ones = exp(scale(empty(gpu, [BLOCK / 4]), 0));
print('once there is room', await outcome(mean(ones).item()));
gpu.dispose();
