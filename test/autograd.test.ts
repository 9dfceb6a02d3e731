import * as assert from 'uvu/assert';
import { backward, copyInto, detach, noGrad, record, zeroGrad } from '../src/autograd.ts';
import { dryRun } from '../src/capture.ts';
import type { Gpu } from '../src/gpu/gpu.ts';
import { Parameter } from '../src/nn/parameter.ts';
import { add } from '../src/ops/add.ts';
import { crossEntropy } from '../src/ops/crossEntropy.ts';
import { exp } from '../src/ops/exp.ts';
import { linear } from '../src/ops/linear.ts';
import { mul } from '../src/ops/mul.ts';
import { relu } from '../src/ops/relu.ts';
import { reshape } from '../src/ops/reshape.ts';
import { sum } from '../src/ops/sum.ts';
import { Sgd } from '../src/optim/sgd.ts';
import { empty, type Tensor, tensor, write } from '../src/tensor.ts';
import { tidy } from '../src/tidy.ts';
import { gpuTest, run } from './harness.ts';

const leaf = (gpu: Gpu, data: number[], label = 'x'): Tensor => {
  const x = tensor(gpu, data, undefined, label);
  x.requiresGrad = true;
  return x;
};

/** The names of the dispatches that `fn` records. */
function dispatchesOf(gpu: Gpu, fn: () => void): string[] {
  let labels: string[] = [];
  dryRun(gpu, () => {
    fn();
    labels = gpu.queue.recording!.dispatches.map(({ label }) => label);
  });
  return labels;
}

/** y = a; both inputs get the tensor dy itself as their gradient, so their gradients share memory. */
const passOn = (a: Tensor, b: Tensor): Tensor => record('passOn', [a, b], relu(detach(a)), [], (dy) => [dy, dy]);

gpuTest('gradients of a tensor used twice add up', async (gpu) => {
  const x = leaf(gpu, [1, -2, 3]);
  tidy(() => backward(passOn(relu(x), relu(x)), tensor(gpu, [1, 1, 2])));
  assert.equal([...(await x.grad!.read())], [2, 0, 4]);
  x.grad!.dispose();
  x.dispose();
});

gpuTest('backward adds to an existing gradient, and zeroGrad drops it', async (gpu) => {
  const x = leaf(gpu, [1, 2]);
  const back = () => tidy(() => backward(relu(x), tensor(gpu, [1, 10])));
  back();
  back();
  assert.equal([...(await x.grad!.read())], [2, 20]);
  zeroGrad([x]);
  assert.is(x.grad, null);
  back();
  assert.equal([...(await x.grad!.read())], [1, 10]);
  zeroGrad([x]);
  x.dispose();
});

gpuTest('leaves that get the same gradient own separate memory', async (gpu) => {
  const [a, b] = [leaf(gpu, [1, 2]), leaf(gpu, [3, 4])];
  const back = () => tidy(() => backward(passOn(a, b), tensor(gpu, [1, 1])));
  back();
  back();
  assert.equal([...(await a.grad!.read()), ...(await b.grad!.read())], [2, 2, 2, 2]);
  zeroGrad([a, b]);
  a.dispose();
  b.dispose();
});

gpuTest('a gradient with a gradSlot is written to it', async (gpu) => {
  const x = leaf(gpu, [1, -1]);
  x.gradSlot = empty(gpu, [2], 'f32', 'slot');
  const slot = x.gradSlot;
  tidy(() => backward(relu(x), tensor(gpu, [5, 6])));
  assert.is(x.grad, slot);
  assert.equal([...(await slot.read())], [5, 0]);
  zeroGrad([x]);
  assert.is(x.grad, null);
  assert.not(slot.isDisposed);
  // Twice in one graph: the second contribution is added to the first.
  tidy(() => backward(passOn(x, x), tensor(gpu, [1, 2])));
  assert.equal([...(await slot.read())], [2, 4]);
  slot.dispose();
  x.dispose();
});

gpuTest('backward of several losses gives the gradient of their sum', async (gpu) => {
  const x = leaf(gpu, [1, 2]);
  tidy(() => {
    const y = mul(x, x);
    backward([sum(y), sum(x), sum(y)]);
  });
  assert.equal([...(await x.grad!.read())], [5, 9]);
  assert.throws(() => backward([]), /backward: there are no losses/);
  assert.throws(() => backward([x, x], x), /gradOutput is of one loss, but there are 2/);
  tidy(() => assert.throws(() => backward([sum(relu(x)), 1 as never]), /the loss must be a Tensor but is 1/));
  zeroGrad([x]);
  x.dispose();
});

gpuTest('an op adds to a gradient that nothing else holds, and to no other', async (gpu) => {
  const weight = tensor(gpu, [1, 2, 3, 4], [2, 2]);
  const x = leaf(gpu, [1, 1]);
  const back = () =>
    tidy(() => {
      const [a, b] = [relu(reshape(x, [1, 2])), relu(reshape(x, [1, 2]))];
      // a and b get the same memory as gradient before the second linear layer adds to that of a.
      backward([sum(linear(a, weight)), sum(linear(a, weight)), sum(passOn(a, b))]);
    });
  back();
  assert.equal([...(await x.grad!.read())], [10, 14]);
  zeroGrad([x]);
  const step = dispatchesOf(gpu, () =>
    tidy(() => {
      const a = relu(reshape(x, [1, 2]));
      backward([sum(linear(a, weight)), sum(linear(a, weight))]);
    }),
  );
  assert.is(step.includes('autograd.accumulate'), false);
  for (const t of [x, weight]) t.dispose();
});

gpuTest('noGrad and detach record nothing', async (gpu) => {
  const x = leaf(gpu, [1]);
  tidy(() => {
    assert.not(noGrad(() => relu(x)).requiresGrad);
    const y = relu(x);
    assert.ok(y.requiresGrad);
    assert.not(detach(y).requiresGrad);
  });
  x.dispose();
});

gpuTest('only f32 leaves can require a gradient', (gpu) => {
  const [x, labels] = [leaf(gpu, [1, 2]), tensor(gpu, new Uint32Array(2), undefined, 'labels')];
  const set = (t: Tensor, wanted: unknown, name = 'requiresGrad') => Reflect.set(t, name, wanted);
  assert.throws(() => set(labels, true), /requiresGrad: labels\[2\] is u32, and only f32 tensors have gradients/);
  assert.throws(() => set(x, 1), /requiresGrad: x\[2\] must be given true or false but got 1/);
  assert.throws(() => set(x, false, 'requires_grad'), /the name here is requiresGrad/);
  tidy(() => {
    const y = relu(x);
    assert.throws(() => set(y, false), /relu\[2\] was computed by relu; use detach\(\)/);
    y.requiresGrad = true;
  });
  for (const wrong of [3, undefined, labels, [1, 2]])
    assert.throws(() => set(x, wrong, 'grad'), /grad: x\[2\] takes an f32 tensor of its shape, or null, but got/);
  assert.throws(() => backward(3 as never), /backward: the loss must be a Tensor but is 3/);
  assert.throws(
    () => Reflect.apply(record, undefined, ['mine', [x], x]),
    /record: mine needs the tensors that it saves/,
  );
  assert.throws(() => tidy(3 as never), /tidy: expected a function but got 3; call tidy\(\(\) => \.\.\.\)/);
  assert.throws(() => noGrad(x as never), /noGrad: expected a function but got a Tensor; call noGrad/);
  for (const t of [x, labels]) t.dispose();
});

gpuTest('backward refuses what it cannot do', (gpu) => {
  const x = leaf(gpu, [1, 2]);
  const plain = tensor(gpu, [1, 2]);
  tidy(() => {
    assert.throws(() => backward(relu(plain)), /does not depend on a tensor with requiresGrad.*first order only/);
    assert.throws(() => backward(relu(x)), /relu\[2\] is not a single number; reduce it, or pass gradOutput/);
    assert.throws(() => backward(relu(x), tensor(gpu, [1])), /gradOutput must be \[2\] but is \[1\]/);
    const y = relu(x);
    backward(y, plain);
    assert.throws(() => backward(y, plain), /graph through relu was freed/);
  });
  zeroGrad([x]);
  for (const t of [x, plain]) t.dispose();
});

gpuTest("an op's backward must return a gradient or null for every input", (gpu) => {
  const [x, v] = [leaf(gpu, [1, 2]), leaf(gpu, [1])];
  const two = () => tensor(gpu, [1, 1]);
  const wrongs: [unknown, RegExp][] = [
    [() => [tensor(gpu, [1]), null], /custom: its backward gave \[1\] for input 0, which is \[2\]/],
    [() => [tensor(gpu, new Uint32Array(2)), null], /custom: its backward gave u32 \[2\] for input 0/],
    [() => [two()], /custom: its backward must return an array of 2 gradients, .* but returned 1$/],
    [() => [two(), null, null], /must return an array of 2 gradients, .* but returned 3$/],
    [() => [two(), undefined], /custom: its backward returned undefined for input 1, which is \[1\]/],
    [() => two(), /must return an array of 2 gradients, .* but returned an? _?Tensor/],
    [() => {}, /must return an array of 2 gradients, .* but returned undefined/],
    [async () => [two(), null], /but returned a Promise/],
    [() => [1, null], /returned 1 for input 0/],
  ];
  for (const [wrong, message] of wrongs) {
    tidy(() => {
      const y = record('custom', [x, v], relu(detach(x)), [], wrong as () => Tensor[]);
      assert.throws(() => backward(y, two()), message);
    });
    assert.equal([x.grad, v.grad], [null, null]);
  }
  for (const t of [x, v]) t.dispose();
});

gpuTest('a backward may return tensors that it did not make, and they stay alive', async (gpu) => {
  const [a, b] = [leaf(gpu, [1, 2]), leaf(gpu, [3, 4])];
  const constant = tensor(gpu, [5, 6]);
  tidy(() => {
    const shared = record('shared', [a, b], relu(detach(a)), [], () => [constant, constant]);
    const inputs = record('inputs', [a, b], relu(detach(a)), [], () => [b, a]);
    backward(shared, constant);
    backward(inputs, constant);
  });
  assert.equal([...(await a.grad!.read())], [8, 10]);
  assert.equal([...(await b.grad!.read())], [6, 8]);
  for (const t of [a, b, constant]) assert.not(t.isDisposed);
  for (const t of [a, b, constant]) t.dispose();
});

gpuTest('a tensor that backward reads must not change after the forward pass', async (gpu) => {
  const w = leaf(gpu, [1, 2], 'w');
  const x = tensor(gpu, [3, 4], undefined, 'x');
  const changes: [string, (y: Tensor) => void][] = [
    ['x', () => write(x, Float32Array.of(9, 9))],
    ['w', () => write(w, Float32Array.of(1, 1))],
    ['w', () => write(detach(w), Float32Array.of(1, 1))],
    ['w', () => copyInto(x, w)],
  ];
  for (const [label, change] of changes) {
    tidy(() => {
      const y = mul(w, x);
      change(y);
      assert.throws(() => backward(sum(y)), new RegExp(`mul: its backward reads ${label}, which was changed in place`));
    });
    zeroGrad([w]);
  }
  tidy(() => {
    const y = exp(w);
    write(y, Float32Array.of(0, 0));
    assert.throws(() => backward(sum(y)), /exp: its backward reads exp, which was changed/);
  });
  // The gradient of a sum reads neither of its terms.
  tidy(() => {
    const y = add(w, x);
    write(w, Float32Array.of(7, 7));
    write(x, Float32Array.of(7, 7));
    backward(sum(y));
  });
  assert.equal([...(await w.grad!.read())], [1, 1]);
  for (const t of [w, x]) t.dispose();
});

gpuTest('labels and weights of a loss must not change before its backward', (gpu) => {
  const logits = leaf(gpu, [1, 2], 'logits');
  const labels = tensor(gpu, new Uint32Array([1]), undefined, 'labels');
  const weight = tensor(gpu, [1, 2], undefined, 'weight');
  const changes: [string, () => void][] = [
    ['labels', () => write(labels, Uint32Array.of(0))],
    ['weight', () => write(weight, Float32Array.of(2, 1))],
  ];
  for (const [name, change] of changes) {
    tidy(() => {
      const loss = crossEntropy(reshape(logits, [1, 2]), labels, { weight });
      change();
      // With a given gradient the kernel of backward runs; otherwise forward has computed the gradient before the change.
      const given = tensor(gpu, 1);
      assert.throws(() => backward(loss, given), new RegExp(`crossEntropy: its backward reads ${name}`));
    });
  }
  for (const t of [logits, labels, weight]) t.dispose();
});

gpuTest('gradients of disposed inputs are freed with them', async (gpu) => {
  const w = leaf(gpu, [1, 2, 3], 'w');
  const before = gpu.memory().buffers;
  for (let i = 0; i < 1000; i++) {
    const x = leaf(gpu, [1, 2, 3]);
    tidy(() => backward(sum(mul(x, w))));
    x.dispose();
    tidy(() => {
      const inside = leaf(gpu, [1, 2, 3]);
      backward(sum(mul(inside, w)));
    });
    if (i % 500 === 0) await gpu.idle();
  }
  assert.is(gpu.memory().buffers, before + 1, "w's gradient is all that stays");
  assert.equal([...(await w.grad!.read())], [2000, 4000, 6000]);
  w.dispose();
});

gpuTest('a gradient that tidy returns outlives its tensor', async (gpu) => {
  const [gradient, both] = tidy(() => {
    const [x, y] = [leaf(gpu, [1, 2]), leaf(gpu, [3, 4])];
    backward(sum(mul(x, y)));
    return [x.grad!, { y, grad: y.grad! }] as const;
  });
  assert.equal([...(await gradient.read())], [3, 4]);
  assert.equal([...(await both.grad.read())], [1, 2]);
  assert.is(both.y.grad, both.grad, 'a tensor that is returned too keeps its gradient');
  for (const t of [gradient, both.y]) t.dispose();
  assert.ok(both.grad.isDisposed);
});

gpuTest('a gradient of the same optimiser can be the upstream gradient of another backward', async (gpu) => {
  const [w, v] = [new Parameter(gpu, Float32Array.of(1), [1], 'w'), new Parameter(gpu, Float32Array.of(1), [1], 'v')];
  const sgd = new Sgd([w, v], { lr: 1 });
  const [three, ten] = [tensor(gpu, [3]), tensor(gpu, [10])];
  tidy(() => backward(sum(mul(w, three))));
  tidy(() => backward(mul(v, ten), w.grad!));
  assert.is(await v.grad!.item(), 30);
  assert.is(await w.grad!.item(), 3);
  await gpu.idle();
  for (const t of [sgd, w, v, three, ten]) t.dispose();
});

gpuTest('a parameter twice in one op gets the sum of both gradients', async (gpu) => {
  const w = new Parameter(gpu, Float32Array.of(3, -2), [2], 'w');
  const sgd = new Sgd([w], { lr: 1 });
  tidy(() => backward(sum(mul(w, w))));
  assert.equal([...(await w.grad!.read())], [6, -4]);
  for (const t of [sgd, w]) t.dispose();
});

run();
