import * as assert from 'uvu/assert';
import * as reference from '../../reference/index.ts';
import { capture, dryRun } from '../../src/capture.ts';
import { createGpu } from '../../src/gemm/createGpu.ts';
import { SoftmaxColumnSums, softmaxColumnMean } from '../../src/ops/softmaxColumnMean.ts';
import { empty, type Tensor, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, gpuTest, run, seeded, uniform } from '../harness.ts';
import { checkArguments, checkRefusals, checkValues, expectValues, inf, nan, rows, shapesOf } from './check.ts';

const tolerance = { rtol: 4e-6, atol: 1e-9 };
const truth = (data: Float32Array, cols: number, temperature: number): Float64Array =>
  reference.softmaxColumnMean({ shape: [data.length / cols, cols], data }, { temperature }).data;

// Around the 32 lanes of a workgroup and its 4,096 rows, the 32 columns that a lane holds, whole and broken vec4s, and the 2,048
// that a GPU's lanes hold.
for (const [rows, cols] of [
  ...['1x1', '7x2', '8x10', '9x31', '31x17', '33x31', '63x32', '4096x31', '4097x6', '8195x31', '65x33', '300x5'],
  ...['257x64', '129x255', '70x257', '5x2049', '2x4100'],
].flatMap(shapesOf)) {
  for (const temperature of [1, 0.1]) {
    gpuTest(
      `softmaxColumnMean of [${rows},${cols}] at T = ${temperature} gives the reference's numbers`,
      async (gpu) => {
        const data = uniform([rows!, cols!], seeded(rows! + cols!), 2);
        const y = tidy(() => softmaxColumnMean(tensor(gpu, data, [rows!, cols!]), { temperature }));
        assertClose('mean', await y.read(), truth(data, cols!, temperature), tolerance);
        y.dispose();
      },
    );
  }
}

// A GPU without subgroups, and columns that are too many or too few for the lanes of a subgroup.
gpuTest("softmaxColumnMean gives the reference's numbers on a GPU without subgroups", async () => {
  const gpu = await createGpu({ kind: 'gpu', subgroups: false });
  for (const [rows, cols] of ['1x1', '9x31', '300x5', '33x129', '2100x3', '70x600', '3x2047'].flatMap(shapesOf)) {
    const data = uniform([rows!, cols!], seeded(rows! + cols!), 2);
    const y = tidy(() => softmaxColumnMean(tensor(gpu, data, [rows!, cols!]), { temperature: 0.1 }));
    assertClose(`[${rows},${cols}]`, await y.read(), truth(data, cols!, 0.1), tolerance);
    y.dispose();
  }
  gpu.dispose();
});

// Subgroups of AMD's and Intel's GPUs have several sizes, so the kernel asks for one.
gpuTest('softmaxColumnMean asks for a number of lanes where they vary', async (gpu) => {
  const { rawInfo, handle } = gpu.device;
  const { subgroupMaxSize: most = 0 } = rawInfo;
  if (!gpu.features.has('subgroup-size-control') || most < 8 || most > 16) return;
  const codes: string[] = [];
  const create = handle.createShaderModule.bind(handle);
  const varying = new Proxy(handle, {
    get: (target, name) => {
      if (name === 'adapterInfo') return { subgroupMinSize: 4, subgroupMaxSize: most };
      if (name === 'createShaderModule')
        return (descriptor: GPUShaderModuleDescriptor) => {
          codes.push(descriptor.code);
          return create(descriptor);
        };
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const asking = await createGpu({ device: varying, kind: 'gpu' });
  assert.is(asking.subgroupSize, 0);
  const data = uniform([300, 31], seeded(5), 2);
  const y = tidy(() => softmaxColumnMean(tensor(asking, data, [300, 31])));
  assertClose('mean', await y.read(), truth(data, 31, 1), tolerance);
  assert.is(codes.filter((code) => code.includes(`@subgroup_size(${most}) fn subgroups`)).length, 1);
  y.dispose();
  asking.dispose();
});

for (const subgroups of [true, false])
  gpuTest(`softmaxColumnMean moves few bytes on a GPU ${subgroups ? 'with' : 'without'} subgroups`, async () => {
    const gpu = await createGpu({ kind: 'gpu', subgroups });
    for (const shape of ['4096x31', '1024x1000', '65536x31', '100000x10', '2048x65'].flatMap(shapesOf)) {
      let moved = 0;
      let parts = 0;
      dryRun(gpu, () => {
        softmaxColumnMean(empty(gpu, shape));
        const { dispatches } = gpu.queue.recording!;
        moved = dispatches.reduce((sum, { bytes }) => sum + bytes, 0);
        parts = dispatches[0]!.grid[0];
      });
      const most = 1.3 * 4 * shape[0]! * shape[1]!;
      assert.ok(moved <= most, `[${shape}]: ${moved} bytes of at most ${most}`);
      assert.ok(parts <= 128, `[${shape}]: ${parts} partial sums`);
    }
    gpu.dispose();
  });

gpuTest('softmaxColumnMean of 100,000 equal rows keeps its digits', async (gpu) => {
  const [rows, cols] = [100_000, 5];
  const data = Float32Array.from({ length: rows * cols }, (_, i) => (i % cols) / 3);
  const y = tidy(() => softmaxColumnMean(tensor(gpu, data, [rows, cols])));
  assertClose('mean', await y.read(), truth(data.subarray(0, cols), cols, 1), { rtol: 2e-6 });
  y.dispose();
});

const at =
  (temperature: number) =>
  (x?: Tensor): Tensor =>
    softmaxColumnMean(x!, { temperature });
const d = (1e4 - Math.fround(1e4 - 0.01)) / 0.01;
const [p, q] = [1 / (1 + Math.exp(-d)), 1 / (1 + Math.exp(d))];
checkValues('softmaxColumnMean of logits of 1e4 at T = 0.01', at(0.01), {
  inputs: [rows([1e4, -1e4, 0, 1e4 - 0.01], [-1e4, -1e4, -1e4, -1e4])],
  y: [p / 2 + 0.125, 0.125, 0.125, q / 2 + 0.125],
  ...tolerance,
});
checkValues('softmaxColumnMean of classes at -infinity gives them 0', at(0.1), {
  inputs: [[[0, -inf, 0, -inf]]],
  y: [0.5, 0, 0.5, 0],
  ...tolerance,
});

gpuTest('softmaxColumnMean is NaN with a row of NaN or infinity or only -infinity, and without rows', async (gpu) => {
  for (const wrong of [nan, inf])
    await expectValues(gpu, at(0.1), {
      inputs: [
        [
          [1, 2],
          [3, wrong],
          [0, 0],
        ].map(([a, b]) => [a!, b!]),
      ],
      y: [nan, nan],
    });
  await expectValues(gpu, at(0.1), { inputs: [[[-inf, -inf]]], y: [nan, nan] });
  for (const cols of [31, 40, 41]) {
    const row = new Array<number>(cols).fill(0);
    await expectValues(gpu, at(1), { inputs: [[row, row.with(cols - 1, nan), row]], y: row.map(() => nan) });
  }
  const none = empty(gpu, [0, 3]);
  const y = softmaxColumnMean(none);
  assert.equal([...(await y.read())], [nan, nan, nan]);
  for (const x of [none, y]) x.dispose();
});

for (const cols of [10, 65]) {
  gpuTest(`SoftmaxColumnSums add batches of any size, captured or not: ${cols} columns`, async (gpu) => {
    const sizes = [128, 128, 1, 77];
    const random = seeded(cols);
    const batches = sizes.map((n) => uniform([n, cols], random, 3));
    const tensors = batches.map((data, i) => tensor(gpu, data, [sizes[i]!, cols]));
    const rows = Float32Array.from(batches.flatMap((data) => [...data]));
    const sums = new SoftmaxColumnSums(gpu, cols, 0.1);
    const into = empty(gpu, [cols]);
    const pass = () => {
      for (const x of tensors) sums.add(x);
      sums.take(into);
    };
    pass();
    const eager = await into.read();
    assertClose(
      'sums',
      eager,
      truth(rows, cols, 0.1).map((v) => v * (rows.length / cols)),
      tolerance,
    );
    const step = await capture(gpu, pass);
    for (let k = 0; k < 3; k++) {
      step.run();
      assert.equal(await into.read(), eager);
    }
    for (const x of [step, sums, into, ...tensors]) x.dispose();
  });
}

// A GPU takes them in several rounds: 64 workgroups of 64 rows, or fewer where a row has several lanes.
for (const cols of [3, 10]) {
  gpuTest(`SoftmaxColumnSums take 10,000 rows of ${cols}`, async (gpu) => {
    const data = uniform([10_000, cols], seeded(cols), 2);
    const x = tensor(gpu, data, [10_000, cols]);
    const sums = new SoftmaxColumnSums(gpu, cols, 0.1);
    const into = empty(gpu, [cols]);
    sums.add(x);
    sums.take(into);
    assertClose(
      'sums',
      await into.read(),
      truth(data, cols, 0.1).map((v) => v * 10_000),
      tolerance,
    );
    for (const held of [x, sums, into]) held.dispose();
  });
}

gpuTest('SoftmaxColumnSums lose no digits over 2,000 batches of equal rows', async (gpu) => {
  const row = Float32Array.of(0.3, 0, -0.2);
  const x = tensor(gpu, new Array(50).fill([...row]));
  const sums = new SoftmaxColumnSums(gpu, 3, 1);
  const into = empty(gpu, [3]);
  for (let k = 0; k < 2000; k++) sums.add(x);
  sums.take(into);
  assertClose(
    'sums',
    await into.read(),
    truth(row, 3, 1).map((v) => v * 100_000),
    { rtol: 2e-6 },
  );
  for (const held of [x, sums, into]) held.dispose();
});

checkArguments('softmaxColumnMean', softmaxColumnMean, { x: 'f32 2x2' }, { options: {} });
checkRefusals('softmaxColumnMean', (gpu) => {
  const x = tensor(gpu, [[1, 2]]);
  const using = (use: (sums: SoftmaxColumnSums) => unknown) => () => {
    const sums = new SoftmaxColumnSums(gpu, 3, 1);
    try {
      use(sums);
    } finally {
      sums.dispose();
    }
  };
  return [
    ...[0, -1, nan, inf].map(
      (temperature) =>
        [
          () => softmaxColumnMean(x, { temperature }),
          /temperature must be a number from 1e-30 to 1e\+30 but is/,
        ] as const,
    ),
    [() => softmaxColumnMean(tensor(gpu, [1, 2])), /x must be \[n, C\] with C > 0 but is \[2\]/],
    [() => new SoftmaxColumnSums(gpu, 2, 0), /temperature must be a number from 1e-30 to 1e\+30 but is 0/],
    [using((sums) => sums.add(x)), /x must be \[1,3\] but is \[1,2\]/],
    [using((sums) => sums.take(tensor(gpu, [1, 2]))), /into must be \[3\] but is \[2\]/],
  ];
});

run();
