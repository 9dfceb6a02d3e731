import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fakeContext } from './fakes.ts';

const BASE = ['train', '--source', 'fontdigits', '--target', 'mnist', '-i', '2'];

test('--profile shows each kernel against the measured peaks, then trains', async () => {
  const fake = fakeContext();
  assert.is(await fake.run(...BASE, '--profile'), 0);
  const row = fake.stdout.lines.find((line) => line.includes('conv2d.product'))!;
  assert.equal(row.trim().split(/\s+/), [
    'conv2d.product',
    '1',
    '10.000',
    '100.0',
    '%',
    '10.0',
    '1.0',
    '1.0',
    '0.1',
    '10.0',
    '25.0',
  ]);
  assert.match(fake.stdout.text, "2 iterations by the GPU's timestamps, each kernel by itself: 5.0 ms");
  assert.match(fake.stdout.text, '% of peak: of 4 GFLOP/s');
  assert.is(fake.trials.length, 1);
});

test('under --json it is an event', async () => {
  const fake = fakeContext();
  await fake.run(...BASE, '--profile', '--json');
  const [event] = fake.stdout.events.filter((one) => one.event === 'profile');
  assert.is(event.iterations, 2);
  assert.is(event.rows[0].percentOfPeak, 25);
  assert.is(event.peaks.vectorGflops, 4);
  assert.is(fake.stdout.events.at(-1).event, 'result');
});

test('a trace is kept in the file that is named, and one that cannot be written is refused at once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'padagrad-profile-'));
  const file = join(folder, 'trace.json');
  const fake = fakeContext();
  assert.is(await fake.run(...BASE, '--profile', file), 0);
  const names = JSON.parse(readFileSync(file, 'utf8')).traceEvents.map((event: { name: string }) => event.name);
  assert.ok(names.includes('conv2d.product'));

  const missing = join(folder, 'no', 'trace.json');
  const wrong = fakeContext();
  assert.is(await wrong.run(...BASE, '--profile', missing), 2);
  assert.match(wrong.stderr.text, '--profile');
  assert.is(wrong.trials.length, 0);
  assert.not(existsSync(missing));
  rmSync(folder, { recursive: true });
});

test.run();
