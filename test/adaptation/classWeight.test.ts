import * as assert from 'uvu/assert';
import * as reference from '../../reference/index.ts';
import { ClassWeightAccumulator, ClassWeightModule, raiseClassWeight } from '../../src/adaptation/classWeight.ts';
import { capture } from '../../src/capture.ts';
import { countCalls } from '../../src/debug/deviceCalls.ts';
import { empty, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, gpuTest, run, seeded, uniform } from '../harness.ts';

const truth = (data: Float32Array, cols: number, temperature: number): Float64Array =>
  reference.classWeight({ shape: [data.length / cols, cols], data }, { temperature }).data;

const tolerance = { rtol: 1e-5, atol: 1e-9 };
const nan = Number.NaN;

for (const [rows, cols] of [
  [1, 5],
  [65, 10],
  [100_000, 10],
  [300, 65],
] as const) {
  gpuTest(`ClassWeightModule [${rows},${cols}]`, async (gpu) => {
    const logits = uniform([rows, cols], seeded(rows), 1);
    const weights = tidy(() => new ClassWeightModule().forward(tensor(gpu, logits, [rows, cols])));
    assertClose('weights', await weights.read(), truth(logits, cols, 0.1), tolerance);
    weights.dispose();
  });
}

gpuTest('ClassWeightModule of extremes, NaN and nothing', async (gpu) => {
  const ask = async (rows: number[][], temperature?: number) => {
    const module = new ClassWeightModule(temperature === undefined ? {} : { temperature });
    const weights = tidy(() => module.forward(tensor(gpu, rows)));
    const values = await weights.read();
    weights.dispose();
    return values;
  };
  assertClose('one class takes all', await ask([[1e4, -1e4, 0]], 0.01), [1, 0, 0], tolerance);
  assertClose('equal rows', await ask(new Array(9).fill([7, 7, 7])), [1, 1, 1], tolerance);
  assertClose(
    'NaN',
    await ask([
      [1, 2],
      [nan, 0],
      [3, 4],
    ]),
    [nan, nan],
    tolerance,
  );
  const nothing = tidy(() => new ClassWeightModule().forward(tensor(gpu, new Float32Array(0), [0, 2])));
  assertClose('nothing', await nothing.read(), [nan, nan], tolerance);
  nothing.dispose();
});

gpuTest('ClassWeightAccumulator: batch by batch what ClassWeightModule gives at once, 100,000 images', async (gpu) => {
  const [rows, cols, batch] = [100_000, 10, 128];
  const logits = uniform([rows, cols], seeded(4), 1);
  const whole = tensor(gpu, logits, [rows, cols]);
  const accumulator = new ClassWeightAccumulator(gpu, { numClasses: cols, temperature: 0.1 });
  const into = empty(gpu, [cols]);
  for (let start = 0; start < rows; start += batch) {
    const part = logits.subarray(start * cols, (start + batch) * cols);
    tidy(() => accumulator.add(tensor(gpu, part, [part.length / cols, cols])));
  }
  accumulator.finish(into);
  const atOnce = tidy(() => new ClassWeightModule().forward(whole));
  assertClose('weights', await into.read(), await atOnce.read(), { rtol: 2e-6, atol: 0 });
  assertClose('truth', await into.read(), truth(logits, cols, 0.1), tolerance);
  for (const held of [whole, accumulator, into, atOnce]) held.dispose();
});

gpuTest(
  'ClassWeightAccumulator starts over after finish, in captured steps as well: a dispatch a batch',
  async (gpu) => {
    const batches = [5, 5, 2].map((n, i) => tensor(gpu, uniform([n, 3], seeded(i)), [n, 3]));
    const accumulator = new ClassWeightAccumulator(gpu, { numClasses: 3 });
    const into = empty(gpu, [3]);
    const pass = () => {
      for (const x of batches) accumulator.add(x);
      accumulator.finish(into);
    };
    pass();
    const first = await into.read();
    pass();
    assert.equal(await into.read(), first);
    const step = await capture(gpu, pass);
    assert.ok(step.dispatches <= batches.length + 2, `${step.dispatches} dispatches`);
    const counts = countCalls(gpu.native as GPUDevice, () => step.run());
    assert.is(counts.buffers + counts.bindGroups, 0);
    assert.equal(await into.read(), first);
    accumulator.add(batches[0]!);
    accumulator.reset();
    pass();
    assert.equal(await into.read(), first);
    accumulator.finish(into);
    assertClose('no batch', await into.read(), [nan, nan, nan], tolerance);
    for (const held of [...batches, step, accumulator, into]) held.dispose();
  },
);

gpuTest('saturating class weights equal the reference at once and in batches, and pass NaN on', async (gpu) => {
  const [rows, cols, temperature, share] = [70, 6, 0.7, 0.4];
  const logits = uniform([rows, cols], seeded(7), 3).map((v, i) => v - (i % cols));
  const options = { classWeights: 'saturating', temperature, share } as const;
  const x = tensor(gpu, logits, [rows, cols]);
  const expected = reference.saturatingClassWeight({ shape: [rows, cols], data: logits }, { temperature, share });
  const present = expected.data.filter((w) => w === 1).length;
  assert.ok(present > 1 && present < cols, `${present} of ${cols} classes weigh 1`);
  const weights = tidy(() => new ClassWeightModule(options).forward(x));
  assertClose('at once', await weights.read(), expected.data, tolerance);
  const accumulator = new ClassWeightAccumulator(gpu, { numClasses: cols, ...options });
  const into = empty(gpu, [cols]);
  accumulator.add(x);
  accumulator.finish(into);
  assertClose('in batches', await into.read(), expected.data, tolerance);
  const raised = tidy(() => raiseClassWeight(into, 0.1));
  assertClose(
    'raised',
    await raised.read(),
    Array.from(expected.data, (w) => 0.1 + 0.9 * w),
    tolerance,
  );
  const undefinedOnes = tidy(() =>
    raiseClassWeight(
      new ClassWeightModule(options).forward(
        tensor(gpu, [
          [1, 2],
          [nan, 0],
        ]),
      ), //
      0.1,
    ),
  );
  assertClose('NaN', await undefinedOnes.read(), [nan, nan], tolerance);
  for (const held of [x, weights, accumulator, into, raised, undefinedOnes]) held.dispose();
});

gpuTest('class weights refuse a temperature that is not above zero', (gpu) => {
  for (const temperature of [0, -0.1, nan]) {
    const message = new RegExp(`temperature must be a number from 1e-30 to 1e\\+30 but is ${temperature}`);
    assert.throws(() => new ClassWeightModule({ temperature }), message);
    assert.throws(() => new ClassWeightAccumulator(gpu, { numClasses: 2, temperature }), message);
  }
  const wrong = { classWeights: 'least' } as never;
  assert.throws(() => new ClassWeightModule(wrong), /classWeights must be one of 'mean', 'saturating' but is 'least'/);
  assert.throws(() => new ClassWeightModule({ share: 0 }), /share must be a number from 0.001 to 1 but is 0/);
});

run();
