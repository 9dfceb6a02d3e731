// A captured step does what calling its function would do, or throws. Every test here is a program that gave wrong numbers
// without an error before, with its right value.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AutomaticUpdateClassWeightModule } from '../src/adaptation/index.ts';
import { backward, detach, noGrad, zeroGrad } from '../src/autograd.ts';
import { capture, runSteps } from '../src/capture.ts';
import type { Gpu } from '../src/gpu/gpu.ts';
import { Counter, Scalar } from '../src/gpu/scalar.ts';
import { BatchNorm1d, Dropout, Module, Parameter, Sequential } from '../src/nn/index.ts';
import { add } from '../src/ops/add.ts';
import { crossEntropy } from '../src/ops/crossEntropy.ts';
import { dropout } from '../src/ops/dropout.ts';
import { gradientReversal } from '../src/ops/gradientReversal.ts';
import { mul } from '../src/ops/mul.ts';
import { relu } from '../src/ops/relu.ts';
import { reshape } from '../src/ops/reshape.ts';
import { scale } from '../src/ops/scale.ts';
import { sum } from '../src/ops/sum.ts';
import { Adam } from '../src/optim/adam.ts';
import { clipGradNorm } from '../src/optim/clipGradNorm.ts';
import type { Optimizer } from '../src/optim/optimizer.ts';
import { InverseDecay } from '../src/optim/schedule.ts';
import { Sgd } from '../src/optim/sgd.ts';
import { Random } from '../src/random.ts';
import { type Tensor, tensor, write } from '../src/tensor.ts';
import { keep, tidy } from '../src/tidy.ts';
import { countCalls } from './countCalls.ts';
import { gpuTest, run } from './harness.ts';

const parameter = (gpu: Gpu, value: number | number[], label = 'w'): Parameter => {
  const data = Float32Array.from([value].flat());
  return new Parameter(gpu, data, [data.length], label);
};
const near = (actual: number, expected: number, what = 'value'): void =>
  assert.ok(Math.abs(actual - expected) < 1e-5, `${what}: expected ${expected}, got ${actual}`);
const item = async (x: Tensor): Promise<number> => (await x.read())[0]!;
const refusal = (fn: () => unknown): Promise<string> =>
  Promise.resolve()
    .then(fn)
    .then(
      () => 'nothing was refused',
      (error: Error) => error.message,
    );
const disposeAll = (...things: ({ dispose(): void } | null)[]): void => {
  for (const thing of things) thing?.dispose();
};

const optimizers: [string, (w: Parameter) => Optimizer, number[]][] = [
  // Velocities 1, 1.9, 2.71, 3.439 of a gradient of 1; Adam moves by the learning rate.
  ['Sgd with momentum', (w) => new Sgd([w], { lr: 0.1, momentum: 0.9 }), [-0.1, -0.29, -0.561, -0.9049]],
  ['Adam', (w) => new Adam([w], { lr: 0.1 }), [-0.1, -0.2, -0.3, -0.4]],
];
for (const [name, make, expected] of optimizers) {
  gpuTest(`${name}: a step several times in one submit counts every time`, async (gpu) => {
    const w = parameter(gpu, 0);
    const optimizer = make(w);
    const step = await capture(gpu, () => {
      optimizer.zeroGrad();
      backward(sum(w));
      optimizer.step();
    });
    step.run();
    near(await item(w), expected[0]!);
    const calls = countCalls(gpu.native, () => runSteps(step, step, step));
    assert.equal([calls.submits, calls.passes], [1, 1]);
    near(await item(w), expected[3]!);
    const again = countCalls(gpu.native, () => runSteps(step, step, step));
    assert.equal([again.submits, again.buffers, again.bindGroups], [1, 0, 0], 'later submits make nothing');
    const state = await optimizer.stateDict();
    assert.is(Number(state.get('0.step')!.data[0]), 7);
    disposeAll(step, optimizer, w);
  });
}

gpuTest('scalars and random streams of a step that appears twice in a submit', async (gpu) => {
  const x = tensor(gpu, new Float32Array(64).fill(1));
  const draws = new Counter(0);
  const counter = new Counter(1);
  const drop = () => dropout(x, { p: 0.5, training: true, seed: 3, counter: draws });
  const eager: Float32Array[] = [];
  for (let i = 0; i < 2; i++) {
    const y = drop();
    eager.push(await y.read());
    y.dispose();
  }
  draws.value = 0;
  const total = keep(tensor(gpu, new Float32Array(64)));
  total.requiresGrad = true;
  draws.value = 0;
  counter.value = 1;
  const store = await capture(gpu, () => {
    zeroGrad([total]);
    backward(mul(total, mul(drop(), scale(x, counter))), x);
    return total.grad!;
  });
  runSteps(store, store);
  assert.equal(
    [...(await store.result.read())],
    [...eager[1]!].map((v) => 2 * v),
    'the second appearance draws and counts once more',
  );
  assert.equal([draws.value, counter.value], [2, 3]);
  disposeAll(store, x, total);
});

gpuTest('zeroGrad, run, step: the order of a PyTorch loop', async (gpu) => {
  const w = parameter(gpu, 1);
  const sgd = new Sgd([w], { lr: 0.1 });
  const forwardBackward = await capture(gpu, () => backward(sum(w)));
  assert.is(w.grad, null, 'a capture leaves gradients as they were');
  for (let i = 0; i < 3; i++) {
    sgd.zeroGrad();
    forwardBackward.run();
    sgd.step();
  }
  near(await item(w), 0.7);
  disposeAll(forwardBackward, sgd, w);
});

gpuTest('zeroGrad, run, step without an optimiser: the gradient is there after every run', async (gpu) => {
  const w = parameter(gpu, [2, 3]);
  const step = await capture(gpu, () => backward(sum(mul(w, w))));
  for (let i = 0; i < 3; i++) {
    zeroGrad([w]);
    step.run();
    assert.equal([...(await w.grad!.read())], [4, 6]);
  }
  disposeAll(step, w);
});

gpuTest('an update that was captured before there were gradients', async (gpu) => {
  const [w, v] = [parameter(gpu, 1, 'w'), parameter(gpu, 1, 'v')];
  const sgd = new Sgd([w, v], { lr: 0.1 });
  const update = await capture(gpu, () => sgd.step());
  update.run();
  near(await item(w), 1, 'no gradient, no update');
  tidy(() => backward(sum(w)));
  update.run();
  near(await item(w), 0.9);
  near(await item(v), 1, 'v has no gradient');
  sgd.zeroGrad();
  tidy(() => backward(sum(v)));
  update.run();
  near(await item(w), 0.9, 'w has lost its gradient');
  near(await item(v), 0.9);
  const forwardBackward = await capture(gpu, () => {
    sgd.zeroGrad();
    backward(sum(mul(w, v)));
  });
  runSteps(forwardBackward, update, forwardBackward, update);
  near(await item(w), 0.9 - 0.09 - 0.081);
  disposeAll(forwardBackward, update, sgd, w, v);
});

gpuTest('a gradient set by hand reaches a captured update', async (gpu) => {
  const w = parameter(gpu, 1);
  const sgd = new Sgd([w], { lr: 0.1 });
  const update = await capture(gpu, () => sgd.step());
  for (const value of [2, 5]) {
    sgd.zeroGrad();
    w.grad = tensor(gpu, [value]);
    update.run();
  }
  near(await item(w), 0.3);
  disposeAll(update, sgd, w);
});

gpuTest('clipping captured with the update, before there are gradients', async (gpu) => {
  const w = parameter(gpu, [3, 4]);
  const sgd = new Sgd([w], { lr: 1 });
  const update = await capture(gpu, () => {
    const norm = clipGradNorm([w], 1);
    sgd.step();
    return norm;
  });
  const x = tensor(gpu, [3, 4]);
  tidy(() => backward(sum(mul(w, x))));
  update.run();
  near(await update.result.item(), 5);
  near(await item(w), 3 - 0.6);
  disposeAll(update, sgd, w, x);
});

gpuTest('gradients accumulate as they do eagerly, or the run throws', async (gpu) => {
  const w = parameter(gpu, 1);
  const sgd = new Sgd([w], { lr: 0.1 });
  const backwards = await capture(gpu, () => backward(scale(sum(w), 2)));
  backwards.run();
  assert.throws(() => backwards.run(), /w\[1\] had no gradient at the capture but has a gradient; call zeroGrad\(\)/);
  near(await item(w.grad!), 2, 'the refused run changed nothing');
  const adding = await capture(gpu, () => backward(scale(sum(w), 3)));
  adding.run();
  adding.run();
  near(await item(w.grad!), 8);
  sgd.zeroGrad();
  assert.throws(() => adding.run(), /had a gradient at the capture but has no gradient/);
  const both = await capture(gpu, () => {
    sgd.zeroGrad();
    for (const factor of [1, 2, 3]) backward(scale(sum(w), factor));
    sgd.step();
  });
  runSteps(both, both);
  near(await item(w), 1 - 2 * 0.6);
  disposeAll(backwards, adding, both, sgd, w);
});

gpuTest('a parameter that was frozen after the capture is an error', async (gpu) => {
  const [w, v] = [parameter(gpu, 2, 'w'), parameter(gpu, 3, 'v')];
  const sgd = new Sgd([w, v], { lr: 0.1 });
  const step = await capture(gpu, () => {
    sgd.zeroGrad();
    backward(sum(mul(w, v)));
    sgd.step();
  });
  v.requiresGrad = false;
  assert.throws(() => step.run(), /requiresGrad of v\[1\] was true at the capture but is false/);
  v.requiresGrad = true;
  step.run();
  near(await item(w), 1.7);
  const x = tensor(gpu, [1]);
  const forward = await capture(gpu, () => mul(x, x));
  x.requiresGrad = true;
  assert.throws(() => forward.run(), /requiresGrad of tensor\[1\] was false at the capture but is true/);
  disposeAll(step, forward, sgd, w, v, x);
});

gpuTest('a mode or a field of a module that changed after the capture is an error', async (gpu) => {
  class Scaled extends Module {
    factor = 2;
    calls = 0;
    last: Tensor | null = null;
    layers = new Sequential(new Dropout({ p: 0.5, seed: 1 }), new BatchNorm1d(gpu, { numFeatures: 1 }));
    forward(x: Tensor): Tensor {
      const y = scale(this.layers.forward(x), this.factor);
      this.last = y;
      return y;
    }
  }
  const net = new Scaled().train();
  const x = tensor(gpu, [[1], [2], [3], [4]]);
  const step = await capture(gpu, () => noGrad(() => net.forward(x)));
  const [dropout, norm] = net.layers.layers as [Dropout, BatchNorm1d];
  const changes: [module: object, field: string, value: unknown, message: RegExp][] = [
    [dropout, 'training', false, /Dropout was captured in training mode; call train\(\) on it/],
    [norm, 'training', false, /BatchNorm1d was captured in training mode/],
    [net, 'factor', 3, /factor of Scaled is another one than at the capture/],
    [dropout, 'p', 0.1, /p of Dropout is another one/],
    [norm, 'eps', 1, /eps of BatchNorm1d is another one/],
    [net, 'layers', new Sequential(), /layers of Scaled is another one/],
  ];
  step.run();
  for (const [module, field, value, message] of changes) {
    const before = Reflect.get(module, field);
    Reflect.set(module, field, value);
    assert.throws(() => step.run(), message, field);
    Reflect.set(module, field, before);
    step.run();
  }
  // Fields that forward does not read may change, and forward may keep its results in some.
  net.calls = 7;
  step.run();
  assert.is(net.factor, 2);
  disposeAll(step, x, net);
});

gpuTest("an optimiser's settings are obeyed or refused", async (gpu) => {
  const [w, v] = [parameter(gpu, 1, 'w'), parameter(gpu, 1, 'v')];
  const sgd = new Sgd([{ params: [w] }, { params: [v], lr: 0.3 }], { lr: 0.1 });
  near(sgd.groups[1]!.lrMultiplier, 3);
  const step = await capture(gpu, () => {
    sgd.zeroGrad();
    backward(sum(mul(w, v)));
    sgd.step();
  });
  sgd.lr = 0.2;
  step.run();
  near(await item(w), 0.8);
  near(await item(v), 0.4);
  assert.throws(() => {
    sgd.lr.value = Number.NaN;
  }, /Sgd: lr must be a number >= 0.* but is NaN/);
  near(sgd.groups[1]!.lr, 0.6);
  sgd.groups[1]!.lr = 0;
  sgd.groups[0]!.weightDecay = 0.5;
  step.run();
  near(await item(w), 0.8 - 0.2 * (0.4 + 0.4));
  near(await item(v), 0.4);
  const loose = sgd as unknown as Record<string, unknown>;
  for (const name of ['momentum', 'dampening', 'nesterov'])
    assert.throws(
      () => {
        loose[name] = 0.5;
      },
      new RegExp(`Sgd: ${name} is fixed`),
    );
  assert.throws(() => {
    loose.learningRate = 1;
  }, TypeError);
  assert.throws(() => {
    loose.lr = '0.1';
  }, /Sgd: lr must be a number >= 0 but is '0.1' \(a string\)/);
  assert.throws(() => {
    sgd.groups[0]!.weightDecay = -1;
  }, /weightDecay must be a number >= 0 but is -1/);
  const adam = new Adam([parameter(gpu, 1, 'u')], {});
  assert.throws(() => {
    (adam as unknown as { betas: number[] }).betas = [0, 0];
  }, /Adam: betas is fixed/);
  disposeAll(step, sgd, adam, w, v);
  for (const { params } of adam.groups) disposeAll(...params);
});

gpuTest('a captured step of a disposed optimiser does not run', async (gpu) => {
  const w = parameter(gpu, 1);
  const sgd = new Sgd([w], { lr: 0.1 });
  const step = await capture(gpu, () => {
    sgd.zeroGrad();
    backward(sum(w));
    sgd.step();
  });
  const update = await capture(gpu, () => sgd.step());
  sgd.dispose();
  assert.throws(() => step.run(), /w\[1\] has another optimiser than at the capture|the optimiser was disposed/);
  assert.throws(() => update.run(), /the optimiser was disposed after the capture/);
  disposeAll(step, update, w);
});

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

gpuTest('a refused read leaves the process alone', async (gpu) => {
  const x = tensor(gpu, [1]);
  const net = new BatchNorm1d(gpu, { numFeatures: 1 });
  const sgd = new Sgd(net.parameters(), { lr: 1 });
  const weights = new AutomaticUpdateClassWeightModule(gpu, {
    ...{ updateSteps: 1, dataLoader: [x], classifier: relu, numClasses: 1, partialClassesIndex: [0] },
  });
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  globalThis.process?.on('unhandledRejection', note);
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
  globalThis.process?.off('unhandledRejection', note);
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
