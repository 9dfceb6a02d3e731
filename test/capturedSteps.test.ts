// A captured step does what calling its function would do, or throws: counters, gradients, updates, settings, modes. Every test
// is a program that once gave wrong numbers without an error; it checks the correct value.
import * as assert from 'uvu/assert';
import { backward, noGrad, zeroGrad } from '../src/autograd.ts';
import { capture, runSteps } from '../src/capture.ts';
import { countCalls } from '../src/debug/deviceCalls.ts';
import { Counter } from '../src/gpu/scalar.ts';
import { BatchNorm1d, Dropout, Module, type Parameter, Sequential } from '../src/nn/index.ts';
import { dropout } from '../src/ops/dropout.ts';
import { mul } from '../src/ops/mul.ts';
import { scale } from '../src/ops/scale.ts';
import { sum } from '../src/ops/sum.ts';
import { Adam } from '../src/optim/adam.ts';
import { clipGradNorm } from '../src/optim/clipGradNorm.ts';
import type { Optimizer } from '../src/optim/optimizer.ts';
import { Sgd } from '../src/optim/sgd.ts';
import { type Tensor, tensor } from '../src/tensor.ts';
import { keep, tidy } from '../src/tidy.ts';
import { disposeAll, item, near, parameter } from './captured.ts';
import { gpuTest, run } from './harness.ts';

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

gpuTest('a step that appears twice in a submit uses its scalars and random streams twice', async (gpu) => {
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

gpuTest('zeroGrad, run, step: the order of a PyTorch loop works', async (gpu) => {
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

gpuTest('zeroGrad, run, step without an optimiser: every run leaves its gradient', async (gpu) => {
  const w = parameter(gpu, [2, 3]);
  const step = await capture(gpu, () => backward(sum(mul(w, w))));
  for (let i = 0; i < 3; i++) {
    zeroGrad([w]);
    step.run();
    assert.equal([...(await w.grad!.read())], [4, 6]);
  }
  disposeAll(step, w);
});

gpuTest('an update can be captured before there are gradients', async (gpu) => {
  const [w, v] = [parameter(gpu, 1, 'w'), parameter(gpu, 1, 'v')];
  const sgd = new Sgd([w, v], { lr: 0.1 });
  const update = await capture(gpu, () => sgd.step());
  assert.throws(() => update.run(), /no parameter has a gradient; call backward/);
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

gpuTest('clipping can be captured with the update, before there are gradients', async (gpu) => {
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

gpuTest('a captured function may freeze a parameter for a while, as GANs do', async (gpu) => {
  const [d, g] = [parameter(gpu, 2, 'd'), parameter(gpu, 3, 'g')];
  const sgd = new Sgd([g], { lr: 0.1 });
  const step = await capture(gpu, () => {
    sgd.zeroGrad();
    d.requiresGrad = false;
    backward(sum(mul(g, d)));
    d.requiresGrad = true;
    sgd.step();
  });
  runSteps(step, step);
  near(await item(g), 2.6);
  assert.equal([d.requiresGrad, d.grad], [true, null]);
  const freezes = await capture(gpu, () => {
    d.requiresGrad = false;
    return mul(g, d);
  });
  assert.ok(d.requiresGrad, 'a capture leaves it as it was');
  freezes.run();
  assert.not(d.requiresGrad);
  disposeAll(step, freezes, sgd, d, g);
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

gpuTest('a changed setting of an optimiser is used, or throws', async (gpu) => {
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

run();
