import * as assert from 'uvu/assert';
import { backward, detach, noGrad, record, zeroGrad } from '../src/autograd.ts';
import type { Gpu } from '../src/gpu/gpu.ts';
import { relu } from '../src/ops/relu.ts';
import { empty, type Tensor, tensor } from '../src/tensor.ts';
import { tidy } from '../src/tidy.ts';
import { gpuTest, run } from './harness.ts';

const leaf = (gpu: Gpu, data: number[], label = 'x'): Tensor => {
  const x = tensor(gpu, data, undefined, label);
  x.requiresGrad = true;
  return x;
};

/** y = a in value, with gradient dy passed on as it is to both inputs: gradients that share memory. */
const passOn = (a: Tensor, b: Tensor): Tensor => record('passOn', [a, b], relu(detach(a)), [], (dy) => [dy, dy]);

gpuTest('gradients of a tensor used twice add up', async (gpu) => {
  const x = leaf(gpu, [1, -2, 3]);
  tidy(() => backward(passOn(relu(x), relu(x)), tensor(gpu, [1, 1, 2])));
  assert.equal([...(await x.grad!.read())], [2, 0, 4]);
  x.grad!.dispose();
  x.dispose();
});

gpuTest('backward adds to the gradient that is there; zeroGrad forgets it', async (gpu) => {
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

gpuTest('a gradient with a place of its own is written there', async (gpu) => {
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

gpuTest('a backward that gives a gradient of another shape is named', (gpu) => {
  const x = leaf(gpu, [1, 2]);
  const wrong = () => record('wrong', [x], relu(detach(x)), [], () => [tensor(gpu, [1])]);
  tidy(() =>
    assert.throws(
      () => backward(wrong(), tensor(gpu, [1, 1])),
      /wrong: its backward gave \[1\] for input 0, which is \[2\]/,
    ),
  );
  x.dispose();
});

run();
