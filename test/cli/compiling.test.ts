import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compileNotice } from '../../src/cli/show/report.ts';
import { Terminal } from '../../src/cli/show/terminal.ts';
import { Recorder } from './command.ts';

// The notice of kernels that are compiled: a terminal shows each one; other outputs get a line only if compilation takes long.

const test = suite('compiling');

/** Compiles `total` kernels in `milliseconds` each. */
function compile(total: number, milliseconds: number, { tty = false, json = false } = {}) {
  const [stdout, stderr] = [new Recorder(tty), new Recorder(tty)];
  let now = 0;
  const notice = compileNotice(new Terminal({ stdout, stderr }, json), () => now);
  for (let compiled = 0; compiled <= total; compiled++, now += milliseconds) notice({ compiled, total });
  return { stdout, stderr };
}

test('kernels from a cache are not reported', () => {
  const { stdout, stderr } = compile(64, 10, { json: true });
  assert.equal([stdout.text, stderr.text, compile(64, 10).stdout.text], ['', '', '']);
});

test('slow compilation is reported after a second, then every five seconds, and at the end', () => {
  const counts = [1, 6, 11, 12];
  const { stdout } = compile(12, 1000);
  assert.equal(
    stdout.lines,
    counts.map((compiled) => `compiling kernels: ${compiled} of 12`),
  );
  const json = compile(12, 1000, { json: true });
  assert.equal(
    json.stdout.events,
    counts.map((compiled) => ({ event: 'compile', compiled, total: 12 })),
  );
  assert.equal(json.stderr.lines, stdout.lines);
});

test('a terminal shows each kernel, and removes the line at the end', () => {
  const { stdout } = compile(3, 10, { tty: true });
  for (const compiled of [0, 1, 2, 3]) assert.match(stdout.text, `compiling kernels: ${compiled} of 3`);
  // The last output erases the line.
  assert.ok(stdout.text.lastIndexOf('\u001B[') > stdout.text.lastIndexOf('of 3'));
});

test.run();
