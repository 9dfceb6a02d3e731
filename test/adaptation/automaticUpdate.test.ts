import * as assert from 'uvu/assert';
import type { DataLoader, LoaderBatch } from '../../src/adaptation/classify.ts';
import { ClassWeightModule } from '../../src/adaptation/classWeight.ts';
import { collectClassificationResults } from '../../src/adaptation/collect.ts';
import { capture } from '../../src/capture.ts';
import { ImageDataset } from '../../src/data/dataset.ts';
import { watchCompiling } from '../../src/debug/deviceCalls.ts';
import { createGpu } from '../../src/gemm/createGpu.ts';
import { relu } from '../../src/ops/relu.ts';
import { type Tensor, tensor, write } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, gpuTest, run, seeded, uniform } from '../harness.ts';
import { batchesOf, CLASSES, modesOf, network, weightsOf } from './classifier.ts';

gpuTest(
  'a step or an update inside a capture is an error of the capture: it would be left out of every run',
  async (gpu) => {
    const net = network(gpu);
    const x = tensor(gpu, [1]);
    const weights = weightsOf(gpu, { classifier: net, updateSteps: 2 });
    for (const [work, said] of [
      [() => weights.step(), 'a step of the class weights'],
      [() => weights.update(), 'an update of the class weights'],
    ] as const) {
      let asked: Promise<unknown> | undefined;
      const captured = capture(gpu, () => {
        asked = work().catch(() => {});
        return relu(x);
      });
      await captured.then(
        () => assert.unreachable(),
        (error: Error) => assert.match(error.message, `capture: ${said} cannot be replayed; do it before or after`),
      );
      await asked;
    }
    assert.is(await weights.step(), false, 'neither was counted');
    for (const one of [weights, x, net]) one.dispose();
  },
);

gpuTest('saturating weights have a floor in the cross-entropy only, and keep it in a state', async (gpu) => {
  const net = network(gpu);
  const batches = batchesOf(gpu, [9, 4]);
  const options = { classifier: net, dataLoader: batches, classWeights: 'saturating', share: 0.9, floor: 0.2 } as const;
  const [weights, other] = [weightsOf(gpu, options), weightsOf(gpu, options)];
  assert.equal(await weights.getClassWeightForCrossEntropyLoss().read(), new Float32Array(CLASSES).fill(1));
  await weights.step();
  const [w, raised] = [await weights.classWeight.read(), await weights.getClassWeightForCrossEntropyLoss().read()];
  assert.ok(Math.min(...w) < 0.9 && Math.max(...w) === 1, `${w}`);
  assertClose(
    'raised',
    raised,
    Array.from(w, (v) => 0.2 + 0.8 * v),
    { rtol: 1e-6, atol: 0 },
  );
  other.loadStateDict(await weights.stateDict());
  assert.equal(await other.getClassWeightForCrossEntropyLoss().read(), raised);
  assert.throws(() => weightsOf(gpu, { ...options, floor: 2 }), /floor must be a number from 0 to 1 but is 2/);
  for (const one of [weights, other, net, ...batches]) one.dispose();
});

gpuTest('the automatic update equals ClassWeightModule of all results, whatever the loader', async (gpu) => {
  const net = network(gpu);
  const batches = batchesOf(gpu, [32, 32, 5]);
  const labels = tensor(gpu, new Uint32Array(32));
  const loaders: Record<string, DataLoader> = {
    array: batches,
    pairs: batches.map((x): LoaderBatch => [x, labels]),
    objects: batches.map((x) => ({ x, labels })),
    synchronous: {
      *[Symbol.iterator]() {
        yield* batches;
      },
    },
    asynchronous: {
      async *[Symbol.asyncIterator]() {
        for (const x of batches) {
          await new Promise((resolve) => setTimeout(resolve, 1));
          yield x;
        }
      },
    },
  };
  const logits = await collectClassificationResults(batches, net);
  assert.equal(logits.shape, [69, CLASSES]);
  const whole = tidy(() => new ClassWeightModule({ temperature: 0.2 }).forward(logits));
  const expected = await whole.read();
  for (const [name, dataLoader] of Object.entries(loaders)) {
    const weights = weightsOf(gpu, { classifier: net, dataLoader, temperature: 0.2 });
    await weights.update();
    assertClose(name, await weights.classWeight.read(), expected, { rtol: 2e-6, atol: 0 });
    weights.dispose();
  }
  for (const held of [whole, logits, labels, ...batches, net]) held.dispose();
});

gpuTest('class weights start as ones and are updated every updateSteps steps', async (gpu) => {
  const batches = batchesOf(gpu, [4]);
  let calls = 0;
  const classifier = (x: Tensor) => {
    calls++;
    return tensor(gpu, uniform([x.shape[0]!, CLASSES], seeded(calls)), [x.shape[0]!, CLASSES]);
  };
  const weights = weightsOf(gpu, { classifier, dataLoader: batches, updateSteps: 3 });
  const seen: number[][] = [[...(await weights.getClassWeightForCrossEntropyLoss().read())]];
  const due: boolean[] = [];
  for (let i = 0; i < 7; i++) {
    due.push(await weights.step());
    seen.push([...(await weights.classWeight.read())]);
  }
  assert.equal(due, [false, false, true, false, false, true, false]);
  assert.is(calls, 2);
  assert.equal(seen[0], new Array(CLASSES).fill(1));
  const changed = seen.slice(1).map((w, i) => String(w) !== String(seen[i]));
  assert.equal(changed, due);
  assert.is(Math.max(...seen[3]!), 1);
  for (const held of [weights, ...batches]) held.dispose();
});

gpuTest(
  'the automatic update leaves modes, running statistics, random numbers and batches as they were',
  async (gpu) => {
    const net = network(gpu);
    const batches = batchesOf(gpu, [16, 3]);
    const before = await Promise.all([net.stateDict({ all: true }), ...batches.map((x) => x.read())]);
    const modes = modesOf(net);
    assert.ok(modes.includes(true) && modes.includes(false));
    const inside: boolean[][] = [];
    const dataLoader = {
      *[Symbol.iterator]() {
        for (const x of batches) {
          inside.push(modesOf(net));
          yield x;
        }
      },
    };
    const weights = weightsOf(gpu, { classifier: net, dataLoader });
    await weights.update();
    assert.equal(modesOf(net), modes);
    assert.equal(
      inside,
      batches.map(() => modes),
      'a program that trains while the loader waits trains in its own modes',
    );
    assert.equal(await Promise.all([net.stateDict({ all: true }), ...batches.map((x) => x.read())]), before);
    for (const held of [weights, net, ...batches]) held.dispose();
  },
);

gpuTest('a walk that fails leaves weights and modes, and nothing in the next one', async (gpu) => {
  const net = network(gpu);
  const batches = batchesOf(gpu, [16, 3]);
  const modes = modesOf(net);
  let broken = true;
  const dataLoader = {
    *[Symbol.iterator]() {
      yield batches[0]!;
      if (broken) throw new Error('the disk is gone');
      yield batches[1]!;
    },
  };
  const failing = weightsOf(gpu, { classifier: net, dataLoader });
  const sound = weightsOf(gpu, { classifier: net, dataLoader: batches });
  assert.match((await failing.update().catch((error: Error) => error))!.message, /the disk is gone/);
  assert.equal(modesOf(net), modes);
  assert.equal([...(await failing.classWeight.read())], new Array(CLASSES).fill(1));
  broken = false;
  await failing.update();
  await sound.update();
  assert.equal(await failing.classWeight.read(), await sound.classWeight.read());
  const empty = weightsOf(gpu, { classifier: net });
  assert.match((await empty.update().catch((error: Error) => error))!.message, /the data loader gave no batch/);
  for (const held of [failing, sound, empty, net, ...batches]) held.dispose();
});

gpuTest(
  'walks over a data set on the GPU: captured, eager and any loader agree bit for bit, as the network moves',
  async (gpu) => {
    const [count, height, width] = [300, 4, 4];
    const random = seeded(9);
    const images = Uint8Array.from({ length: count * height * width }, () => Math.floor(256 * random()));
    const data = new ImageDataset(gpu, { images, count, height, width }, 32);
    const net = network(gpu, height * width);
    const head = [...net.parameters()].at(-2)!;
    const ways = [{}, { eager: true }, { dataLoader: { [Symbol.iterator]: () => data[Symbol.iterator]() } }].map(
      (way) => weightsOf(gpu, { classifier: net, dataLoader: data, ...way }),
    );
    const seen = new Set<string>();
    for (let round = 0; round < 3; round++) {
      const results: Float32Array[] = [];
      for (const weights of ways) {
        await weights.update();
        results.push(await weights.classWeight.read());
      }
      assert.equal(results[1], results[0]);
      assert.equal(results[2], results[0]);
      seen.add(String(results[0]));
      write(head, uniform(head.shape, random));
    }
    assert.is(seen.size, 3);
    for (const held of [...ways, net, data]) held.dispose();
  },
);

gpuTest(
  'an update that was prepared computes as any other, and compiles nothing; preparing moves nothing on',
  async (own) => {
    const [count, height, width] = [300, 4, 4];
    const images = Uint8Array.from({ length: count * height * width }, (_, i) => 31 * i);
    for (const eager of [false, true]) {
      const gpu = await createGpu(own.options);
      const data = new ImageDataset(gpu, { images, count, height, width }, 32);
      const net = network(gpu, height * width);
      const [plain, prepared] = [0, 1].map(() => weightsOf(gpu, { classifier: net, dataLoader: data, eager }));
      const seen = watchCompiling(gpu.native);
      const [state, modes] = [await net.stateDict({ all: true }), modesOf(net)];
      const preparing = prepared!.prepare();
      assert.equal(modesOf(net), modes, 'also while it compiles');
      await preparing;
      assert.equal([...(await prepared!.classWeight.read())], new Array(CLASSES).fill(1));
      assert.equal(await net.stateDict({ all: true }), state);
      assert.ok(seen.includes('createComputePipelineAsync classWeight.normalise'));
      const compiled = seen.length;
      await prepared!.update();
      const weights = await prepared!.classWeight.read();
      assert.is(seen.length, compiled);
      await plain!.update();
      assert.equal(await plain!.classWeight.read(), weights);
      for (const held of [plain!, prepared!, net, data]) held.dispose();
      gpu.dispose();
    }
  },
);

gpuTest('walks block on no kernel, whatever the loader: all are compiled in the background', async (own) => {
  const [count, height, width] = [70, 2, 3];
  const images = Uint8Array.from({ length: count * height * width }, (_, i) => 31 * i);
  const ways: [string, boolean][] = [
    ['array', false],
    ['data set', false],
    ['data set', true],
  ];
  for (const [way, eager] of ways) {
    const gpu = await createGpu(own.options);
    const data = new ImageDataset(gpu, { images, count, height, width }, 32);
    const batches = batchesOf(gpu, [32, 5]);
    const net = network(gpu);
    const dataLoader: DataLoader = way === 'array' ? batches : data;
    const weights = weightsOf(gpu, { classifier: net, dataLoader, eager });
    const seen = watchCompiling(gpu.native);
    await weights.step();
    await weights.classWeight.read();
    assert.equal(
      seen.filter((call) => call.startsWith('createComputePipeline ')),
      [],
      `${way}${eager ? ', eager' : ''}`,
    );
    assert.ok(seen.includes('createComputePipelineAsync classWeight.normalise'));
    for (const held of [weights, net, data, ...batches]) held.dispose();
    gpu.dispose();
  }
});

gpuTest('the automatic update needs no more memory for more images, and reads nothing back', async (gpu) => {
  const net = network(gpu);
  let batches = 4;
  const dataLoader = {
    *[Symbol.iterator]() {
      for (let i = 0; i < batches; i++) {
        const [x] = batchesOf(gpu, [64]);
        yield x!;
        x!.dispose();
      }
    },
  };
  const weights = weightsOf(gpu, { classifier: net, dataLoader });
  await weights.update();
  await gpu.idle();
  const { bytes, peakBytes } = gpu.memory();
  const prototype = Object.getPrototypeOf(weights.classWeight.storage.buffer) as GPUBuffer;
  const { mapAsync } = prototype;
  let maps = 0;
  prototype.mapAsync = function (...args) {
    maps++;
    return mapAsync.apply(this, args);
  };
  try {
    batches = 200;
    await weights.update();
    await gpu.idle();
    assert.is(maps, 0);
    assert.is(gpu.memory().bytes, bytes);
    assert.is(gpu.memory().peakBytes, peakBytes);
    await weights.classWeight.read();
    assert.is(maps, 1, 'a read is seen');
  } finally {
    prototype.mapAsync = mapAsync;
  }
  for (const held of [weights, net]) held.dispose();
});

gpuTest('weights for the losses, of the shared classes, and as state', async (gpu) => {
  const given = [1, 0.25, 0.5, 0, 0.125];
  const options = { classifier: (x: Tensor) => x, updateSteps: 100 };
  const weights = weightsOf(gpu, { ...options, partialClassesIndex: [0, 2] });
  write(weights.classWeight, Float32Array.from(given));
  const labels = tensor(gpu, Uint32Array.of(0, 3, 1, 0));
  const { source, target } = weights.getClassWeightForAdversarialLoss(labels);
  assert.equal([...(await source.read())], [1, 0, 0.25, 1]);
  assert.equal([...(await target.read())], new Array(4).fill(0.5625));
  assert.is(weights.getClassWeightForCrossEntropyLoss(), weights.classWeight);
  assert.equal(await weights.getPartialClassesWeight(), { partial: 0.75, nonPartial: 0.125 });
  const blind = weightsOf(gpu, options);
  assert.match(
    ((await blind.getPartialClassesWeight().catch((error: Error) => error)) as Error).message,
    /the classes of the target are not known; pass partialClassesIndex/,
  );
  await weights.step();
  blind.loadStateDict(await weights.stateDict());
  assert.equal([...(await blind.classWeight.read())], given);
  assert.equal((await blind.stateDict()).get('steps'), (await weights.stateDict()).get('steps'));
  for (const held of [weights, blind, labels, source, target]) held.dispose();
});

gpuTest('the automatic update refuses what does not fit', async (gpu) => {
  const classifier = (x: Tensor) => x;
  for (const updateSteps of [0, -1, 1.5, Number.NaN])
    assert.throws(() => weightsOf(gpu, { classifier, updateSteps }), /updateSteps must be a whole number >= 1 but is/);
  assert.throws(() => weightsOf(gpu, { classifier, temperature: 0 }), /temperature must be a number from 1e-30/);
  assert.throws(() => weightsOf(gpu, { classifier, partialClassesIndex: [5] }), /has 5, but classes are 0 to 4/);
  const [batch] = batchesOf(gpu, [2]);
  const weights = weightsOf(gpu, { classifier, dataLoader: [batch!] });
  const error = (await weights.update().catch((thrown: Error) => thrown)) as Error;
  assert.match(error.message, /must be \[2,5\] but is \[2,6\]/);
  for (const held of [weights, batch!]) held.dispose();
});

gpuTest('what is no batch, and what gives no logits, is named', async (gpu) => {
  const [x] = batchesOf(gpu, [4]);
  const messageOf = async (dataLoader: unknown, classifier: unknown): Promise<string> => {
    const weights = weightsOf(gpu, { dataLoader: dataLoader as DataLoader, classifier: classifier as never });
    const message = await weights.update().then(
      () => '',
      (e: Error) => e.message,
    );
    weights.dispose();
    return message;
  };
  const same = (x: Tensor) => x;
  for (const batch of [new Float32Array(2), [], { images: x }])
    assert.is(await messageOf([batch], same), 'dataLoader: a batch must be a Tensor or { x } or [x, ...]');
  for (const classifier of [() => [x, x], () => ({ features: x })])
    assert.is(await messageOf([x], classifier), 'classifier: its result must be a Tensor or { logits }');
  assert.throws(
    () => weightsOf(gpu, { numClasses: undefined as never, classifier: same }),
    /^AutomaticUpdateClassWeightModule: numClasses is missing from the options$/,
  );
  x!.dispose();
});

run();
