// Results of captured steps, what a capture refuses, and how captured and eager work mix. Every test is a program that once
// gave wrong numbers without an error, with its right value.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AutomaticUpdateClassWeightModule } from '../src/adaptation/index.ts';
import { backward, detach, noGrad, zeroGrad } from '../src/autograd.ts';
import { capture, runSteps } from '../src/capture.ts';
import type { Gpu } from '../src/gpu/gpu.ts';
import { Counter, Scalar } from '../src/gpu/scalar.ts';
import { BatchNorm1d } from '../src/nn/index.ts';
import { add } from '../src/ops/add.ts';
import { crossEntropy } from '../src/ops/crossEntropy.ts';
import { gradientReversal } from '../src/ops/gradientReversal.ts';
import { mul } from '../src/ops/mul.ts';
import { relu } from '../src/ops/relu.ts';
import { reshape } from '../src/ops/reshape.ts';
import { scale } from '../src/ops/scale.ts';
import { sum } from '../src/ops/sum.ts';
import { InverseDecay } from '../src/optim/schedule.ts';
import { Sgd } from '../src/optim/sgd.ts';
import { Random } from '../src/random.ts';
import { type Tensor, tensor, write } from '../src/tensor.ts';
import { tidy } from '../src/tidy.ts';
import { disposeAll, item, near, parameter, refusal } from './captured.ts';
import { gpuTest, run } from './harness.ts';

gpuTest('a result is of its run: earlier ones are errors, not the latest value', async (gpu) => {
  const x = tensor(gpu, [1]);
  const step = await capture(gpu, () => ({ y: scale(x, 10) }));
  const early = step.result.y;
  assert.match(await refusal(() => early.read()), /scale is the result of a captured step that has not run yet/);
  assert.match(await refusal(() => tidy(() => relu(early))), /has not run yet/);
  const kept: Tensor[] = [];
  const read: Promise<number>[] = [];
  for (const value of [1, 2, 3]) {
    write(x, Float32Array.of(value));
    step.run();
    kept.push(step.result.y);
    read.push(step.result.y.item());
  }
  assert.equal(await Promise.all(read), [10, 20, 30], 'read before the next run');
  assert.is(await kept[2]!.item(), 30);
  assert.is(await early.item(), 30, 'taken before the first run, it follows');
  for (const [i, old] of kept.slice(0, 2).entries())
    assert.match(await refusal(() => old.read()), new RegExp(`is the result of run ${i + 1} .* overwritten`));
  const alias = reshape(step.result.y, [1, 1]);
  step.run();
  assert.match(await refusal(() => alias.read()), /overwritten/, 'a view of it too');
  disposeAll(alias, step);
  assert.match(await refusal(() => early.read()), /used after its dispose/);
  x.dispose();
});

gpuTest('a result used by another captured step must be there', async (gpu) => {
  const x = tensor(gpu, [1]);
  const first = await capture(gpu, () => scale(x, 2));
  const second = await capture(gpu, () => scale(first.result, 3));
  assert.throws(() => second.run(), /scale is the result of a captured step that has not run yet/);
  runSteps(first, second);
  assert.is(await second.result.item(), 6);
  disposeAll(second, first, x);
});

gpuTest('a result carries no gradient without a word', async (gpu) => {
  const [w, v] = [parameter(gpu, 2, 'w'), parameter(gpu, 3, 'v')];
  const step = await capture(gpu, () => scale(w, 2));
  step.run();
  const loss = tidy(() => sum(mul(step.result, v)));
  assert.throws(() => backward(loss), /no way through scale: it was computed by a captured step/);
  assert.is(v.grad, null);
  tidy(() => backward(sum(mul(detach(step.result), v))));
  near(await item(v.grad!), 4);
  disposeAll(loss, step, w, v);
});

gpuTest('what a run cannot repeat is refused at the capture', async (gpu) => {
  const x = tensor(gpu, [1]);
  const w = parameter(gpu, 1);
  const sgd = new Sgd([w], { lr: 0.1 });
  const schedule = new InverseDecay(sgd, { lr: 0.1, gamma: 1, decay: 1 });
  const scalar = new Scalar(1);
  const random = new Random(1);
  const attempts: [RegExp, () => unknown][] = [
    [/setting a Scalar cannot be replayed; do it between runs/, () => schedule.step()],
    [/setting a Scalar cannot be replayed; do it between runs/, () => scale(x, Object.assign(scalar, { value: 2 }))],
    [/making a Counter cannot be replayed/, () => scale(x, new Counter(1))],
    [/drawing a random number on the host cannot be replayed/, () => scale(x, random.uniform())],
    [/data from the host cannot be replayed; make the tensor before, and write\(\)/, () => mul(x, tensor(gpu, [2]))],
    [/read of relu cannot be replayed/, () => void relu(x).item()],
    [/read of relu cannot be replayed/, () => void relu(x).read().then(String)],
    [/a run of a captured step cannot be replayed/, () => other.run()],
    [/another capture cannot be replayed/, () => void capture(gpu, () => relu(x))],
    [/capture: the function returned a promise/, async () => relu(x)],
  ];
  const other = await capture(gpu, () => relu(x));
  for (const [message, attempt] of attempts)
    assert.match(await refusal(() => capture(gpu, attempt as () => never)), message);
  assert.is(sgd.lr.value, 0.1);
  assert.is(random.next(), new Random(1).next(), 'the stream is where it was');
  assert.throws(() => noGrad((async () => {}) as () => never), /noGrad: the function returned a promise/);
  assert.throws(() => tidy((async () => {}) as () => never), /tidy: the function returned a promise/);
  disposeAll(other, sgd, w, x);
});

gpuTest('a gradient tensor of the caller is set at every run', async (gpu) => {
  const w = parameter(gpu, 1);
  const given = tensor(gpu, [2]);
  const x = tensor(gpu, [3]);
  const step = await capture(gpu, () => {
    w.grad = given;
    return scale(x, 2);
  });
  assert.is(w.grad, null);
  for (let i = 0; i < 2; i++) {
    step.run();
    assert.is(w.grad, given);
    assert.is(await given.item(), 2);
  }
  disposeAll(step, w, x, given);
});

test('functions that return promises are errors of the type checker too', () => {
  const gpu = undefined as unknown as Gpu;
  const never = (): void => {
    // @ts-expect-error a captured function must be synchronous
    void capture(gpu, async () => 1);
    // @ts-expect-error noGrad must be synchronous
    noGrad(async () => 1);
    // @ts-expect-error tidy must be synchronous
    tidy(async () => 1);
  };
  assert.type(never, 'function');
});

/** Listens for rejected promises that nothing catches, in Node or in a page, until the function that it returns is called. */
function onUnhandledRejection(listener: (reason: unknown) => void): () => void {
  if (typeof addEventListener === 'function') {
    const heard = (event: PromiseRejectionEvent): void => {
      event.preventDefault();
      listener(event.reason);
    };
    addEventListener('unhandledrejection', heard);
    return () => removeEventListener('unhandledrejection', heard);
  }
  process.on('unhandledRejection', listener);
  return () => void process.off('unhandledRejection', listener);
}

gpuTest('a refused read leaves no rejected promise behind', async (gpu) => {
  const x = tensor(gpu, [1]);
  const net = new BatchNorm1d(gpu, { numFeatures: 1 });
  const sgd = new Sgd(net.parameters(), { lr: 1 });
  const weights = new AutomaticUpdateClassWeightModule(gpu, {
    ...{ updateSteps: 1, dataLoader: [x], classifier: relu, numClasses: 1, partialClassesIndex: [0] },
  });
  const unhandled: unknown[] = [];
  const stopListening = onUnhandledRejection((reason) => unhandled.push(reason));
  const attempts = [
    () => relu(x).item().then(String),
    () => relu(x).read().then(String),
    async () => (await relu(x).read()).length,
    async () => void (await gpu.idle()),
    () => void gpu.idle().then(String),
    () => void net.stateDict().then(String),
    () => void sgd.stateDict().then(String),
    () => void weights.step().then(String),
    () => void weights.getPartialClassesWeight().then(String),
  ];
  for (const attempt of attempts) await refusal(() => capture(gpu, attempt as () => never));
  await new Promise((resolve) => setTimeout(resolve, 20));
  stopListening();
  assert.equal(unhandled, []);
  disposeAll(weights, sgd, net, x);
});

gpuTest('counters are read in the order of the forward calls', async (gpu) => {
  const x = parameter(gpu, [1]);
  const body = (coefficient: Counter) => {
    zeroGrad([x]);
    const [first, second] = [gradientReversal(scale(x, 1), coefficient), gradientReversal(scale(x, 10), coefficient)];
    backward(sum(add(first, second)));
  };
  const counter = new Counter(1);
  const gradients: number[] = [];
  for (let i = 0; i < 2; i++) {
    tidy(() => body(counter));
    gradients.push(await item(x.grad!));
  }
  assert.equal(gradients, [-1 - 20, -3 - 40]);
  counter.value = 1;
  const step = await capture(gpu, () => body(counter));
  for (const expected of gradients) {
    step.run();
    assert.is(await item(x.grad!), expected);
  }
  disposeAll(step, x);
});

gpuTest('a run changes parameters in place: an eager backward through them is an error', async (gpu) => {
  const w = parameter(gpu, [1, 2], 'head');
  const sgd = new Sgd([w], { lr: 0.1 });
  const step = await capture(gpu, () => {
    sgd.zeroGrad();
    backward(sum(mul(w, w)));
    sgd.step();
  });
  const loss = tidy(() => sum(mul(w, w)));
  step.run();
  assert.throws(
    () => backward(loss),
    /mul: its backward reads head, which was changed in place after the forward pass/,
  );
  disposeAll(loss, step, sgd, w);
});

gpuTest('a captured backward of an eager forward runs while what it reads stays as it was', async (gpu) => {
  const w = parameter(gpu, [1, 2], 'w');
  const squares = mul(w, w);
  const loss = sum(squares);
  const step = await capture(gpu, () => {
    zeroGrad([w]);
    backward(loss);
  });
  step.run();
  step.run();
  assert.equal([...(await w.grad!.read())], [2, 4]);
  write(w, Float32Array.of(5, 6));
  assert.throws(() => step.run(), /mul: its backward reads w, which was changed in place/);
  disposeAll(step, squares, loss, w);
});

gpuTest('class weights that change between the runs count in the next run', async (gpu) => {
  const logits = parameter(gpu, [1, 0], 'logits');
  const rows = (): Tensor => reshape(logits, [1, 2]);
  const labels = tensor(gpu, new Uint32Array([0]));
  const weight = tensor(gpu, [1, 1]);
  const step = await capture(gpu, () => crossEntropy(rows(), labels, { weight, reduction: 'sum' }));
  step.run();
  const before = await step.result.item();
  write(weight, Float32Array.of(3, 1));
  step.run();
  near(await step.result.item(), 3 * before);
  disposeAll(step, logits, labels, weight);
});

run();
