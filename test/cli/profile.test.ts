import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { inFolder, refused, run, TRAIN } from './command.ts';

const test = suite('profile');
inFolder(test);

test('--profile times each kernel, writes a trace, and then trains', async () => {
  const { code, events, result, stderr } = await run(`${TRAIN} -i 2 --json --profile trace.json`);
  assert.is(code, 0, stderr.text);
  const { iterations, rows, peaks } = events.find(({ event }) => event === 'profile');
  assert.ok(iterations > 0 && peaks.vectorGflops > 0);
  const { kernel, calls } = rows[0];
  assert.match(stderr.text, new RegExp(`^ *${kernel} +${calls} `, 'm'));
  assert.match(
    stderr.text,
    /^\d+ iterations, (GPU timestamps|wall clock over repeated dispatches), kernels timed one at a time: [\d.]+ ms and \d+ dispatches per iteration$/m,
  );
  assert.match(
    stderr.text,
    /^% of peak: relative to \d+ GFLOP\/s \(kernels with a FLOP count\) or [\d.]+ GB\/s copy, both/m,
  );
  assert.match(stderr.text, 'trace in trace.json: open it in chrome://tracing');
  const names = JSON.parse(readFileSync('trace.json', 'utf8')).traceEvents.map((event: { name: string }) => event.name);
  assert.ok(names.includes(kernel));
  assert.equal([result.event, result.iterations], ['result', 2]);
});

test('a trace that cannot be written is refused at once', async () => {
  const missing = join('no', 'trace.json');
  await refused(`${TRAIN} --profile ${missing}`, `--profile ${missing}: cannot be written: no such file or directory`);
  assert.not(existsSync(missing));
});

test.run();
