import * as assert from 'uvu/assert';
import { backward } from '../../src/autograd.ts';
import { Counter, Scalar } from '../../src/gpu/scalar.ts';
import { Linear, Parameter } from '../../src/nn/index.ts';
import { add } from '../../src/ops/add.ts';
import { mul } from '../../src/ops/mul.ts';
import { Adam, AdamW, clipGradNorm, InverseDecay, type Optimizer, Sgd } from '../../src/optim/index.ts';
import { Random } from '../../src/random.ts';
import { tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, gpuTest, run } from '../harness.ts';

gpuTest('what PyTorch users write wrongly is refused, with what to write', (gpu) => {
  const p = new Parameter(gpu, Float32Array.of(1), [1], 'p');
  const net = new Linear(gpu, { inFeatures: 1, outFeatures: 1, random: new Random(1) });
  const make = (parameters: unknown, options: unknown, Class: new (...args: never[]) => Optimizer = Sgd) =>
    new Class(...([parameters, options] as never[]));
  const wrongs: [() => unknown, RegExp][] = [
    [() => make(net, { lr: 1 }), /Sgd: expected parameters but got a Linear; pass module.parameters\(\)/],
    [() => make(net.parameters, { lr: 1 }), /Sgd: expected parameters but got a function/],
    [() => make([net], { lr: 1 }), /the list holds a Linear; pass module.parameters\(\)/],
    [() => make(net.namedParameters(), { lr: 1 }), /the list holds an array of 2; pass module.parameters\(\)/],
    [() => make([{ params: net }], { lr: 1 }), /Sgd: expected parameters but got a Linear/],
    [() => make([p, null], { lr: 1 }), /Sgd: a parameter must be a Tensor but is null/],
    [() => make([p], undefined), /Sgd: expected an options object \{ lr \} but got undefined/],
    [() => make([p], 0.1), /Sgd: expected an options object but got 0.1; pass an object, such as \{ lr: 0.1 \}/],
    [() => make([p], {}), /Sgd: lr is missing from the options/],
    [() => make([p], { lr: '0.1' }), /Sgd: lr must be a number >= 0.* but is '0.1' \(a string\)/],
    [() => make([p], { lr: 1, momentum: 9 }), /Sgd: momentum must be a number from 0 to 1 but is 9/],
    [() => make([p], { lr: 1, weight_decay: 0.1 }), /unknown option weight_decay; did you mean weightDecay\?/],
    [() => make([p], { learningRate: 1 }), /unknown option learningRate; did you mean lr\?/],
    [() => make([p], { lr: 1, nesterov: 'yes' }), /nesterov must be true or false but is 'yes'/],
    [() => make([p], { weight_decay: 0 }, AdamW), /AdamW: unknown option weight_decay; did you mean weightDecay\?/],
    [() => make([p], { beta1: 0.5 }, Adam), /Adam: unknown option beta1; did you mean betas\?/],
    [() => make([p], { betas: 0.9 }, Adam), /Adam: betas must be two numbers in \[0, 1\)/],
    [() => make([{ params: [p], lr: 0.1, lrMultiplier: 2 }], { lr: 1 }), /has both lr and lrMultiplier; give one/],
    [() => make([{ params: [p], lr: 0.1 }], { lr: 0 }), /a group has lr 0.1, but the optimiser's lr is 0/],
    [() => make([{ params: [p], momentum: 0.5 }], { lr: 1 }), /Sgd: a group: unknown option momentum/],
    [() => make([{ parameters: [p] }], { lr: 1 }), /the list holds an Object; pass module.parameters\(\)/],
    [() => clipGradNorm(net as never, 1), /clipGradNorm: expected parameters but got a Linear/],
    [() => new InverseDecay({ lr: new Scalar(1) }, { lr: 1, gamma: 1, power: 1 } as never), /unknown option power/],
    [
      () => new InverseDecay({} as never, { lr: 1, gamma: 1, decay: 1 }),
      /InverseDecay: optimizer must be an optimiser, such as new Sgd/,
    ],
    [() => new Counter(1.5), /Counter: count must be a whole number >= 0 but is 1.5/],
  ];
  for (const [wrong, message] of wrongs) assert.throws(wrong, message);
  for (const t of [p, net]) t.dispose();
});

gpuTest('a step takes no closure, and no parameters that are gone', (gpu) => {
  const p = new Parameter(gpu, Float32Array.of(1), [1], 'p');
  const sgd = new Sgd([p], { lr: 1 });
  const loose = sgd as unknown as { step(closure?: () => void): void };
  assert.throws(() => loose.step(() => {}), /Sgd: step\(\) takes no arguments/);
  const schedule = new InverseDecay(sgd, { lr: 1, gamma: 1, decay: 1 });
  for (const iteration of [-3, 0.5, Number.NaN])
    assert.throws(() => {
      schedule.iteration = iteration;
    }, /InverseDecay: iteration must be a whole number >= 0/);
  p.dispose();
  assert.throws(() => sgd.step(), /step: p\[1\] was disposed; dispose its optimiser too/);
  sgd.dispose();
});

gpuTest('a group has a learning rate of its own, which schedules change in proportion', async (gpu) => {
  const [w, v] = [1, 2].map(() => new Parameter(gpu, Float32Array.of(1), [1]));
  const ones = tensor(gpu, [1]);
  const sgd = new Sgd([{ params: [w!] }, { params: [v!], lr: 0.01 }], { lr: 0.1 });
  const update = () => {
    sgd.zeroGrad();
    tidy(() => backward(add(mul(w!, ones), mul(v!, ones))));
    sgd.step();
  };
  update();
  sgd.lr = 0.2;
  update();
  assertClose('values', [await w!.item(), await v!.item()], [1 - 0.1 - 0.2, 1 - 0.01 - 0.02], { rtol: 1e-6, atol: 0 });
  for (const t of [sgd, w!, v!, ones]) t.dispose();
});

run();
