import * as assert from 'uvu/assert';
import { backward, zeroGrad } from '../src/autograd.ts';
import type { Gpu } from '../src/gpu/gpu.ts';
import { add } from '../src/ops/add.ts';
import { mul } from '../src/ops/mul.ts';
import { scale } from '../src/ops/scale.ts';
import { type Tensor, tensor } from '../src/tensor.ts';
import { tidy } from '../src/tidy.ts';
import { gpuTest, run } from './harness.ts';

// The gradients of an addition are its upstream gradient itself, so several tensors get the same memory. A sum of gradients must be
// written to memory that no other gradient is read from.

/** Builds a loss from leaves a, b, c of one element and gives their gradients for an upstream gradient of 1. */
async function gradients(gpu: Gpu, loss: (a: Tensor, b: Tensor, c: Tensor) => Tensor): Promise<number[]> {
  const leaves = [2, 3, 5].map((value) => tensor(gpu, value)) as [Tensor, Tensor, Tensor];
  for (const leaf of leaves) leaf.requiresGrad = true;
  tidy(() => backward(loss(...leaves)));
  const found: number[] = [];
  for (const leaf of leaves) found.push(leaf.grad ? await leaf.grad.item() : 0);
  zeroGrad(leaves);
  for (const leaf of leaves) leaf.dispose();
  return found;
}

const CASES: Record<string, [expected: number[], loss: (a: Tensor, b: Tensor, c: Tensor) => Tensor]> = {
  // (a' + b') + a' c
  'a gradient of its own meets a shared one': [
    [1 + 5, 1, 2],
    (a, b, c) => {
      const [inner, other] = [scale(a, 1), scale(b, 1)];
      const product = mul(inner, c);
      return add(product, add(inner, other));
    },
  ],
  'a shared gradient meets one of its own': [
    [1 + 5, 1, 2],
    (a, b, c) => {
      const [inner, other] = [scale(a, 1), scale(b, 1)];
      const sum = add(inner, other);
      return add(sum, mul(inner, c));
    },
  ],
  // (a' + b') + (a' + c')
  'two shared gradients meet': [
    [2, 1, 1],
    (a, b, c) => {
      const [first, second, third] = [scale(a, 1), scale(b, 1), scale(c, 1)];
      return add(add(first, second), add(first, third));
    },
  ],
  'two gradients meet, each shared with one other': [
    [2, 1, 1],
    (a, b, c) => {
      const [first, second, third] = [scale(a, 1), scale(b, 1), scale(c, 1)];
      return add(scale(add(first, second), 1), scale(add(first, third), 1));
    },
  ],
  // 10 (a' + b') + (a' + c')
  'two shared gradients of different sources meet': [
    [11, 10, 1],
    (a, b, c) => {
      const [first, second, third] = [scale(a, 1), scale(b, 1), scale(c, 1)];
      return add(scale(add(first, second), 10), add(first, third));
    },
  ],
  // 10 (a' + b') + 3 (a' + c'): neither source is the 1 that backward begins with
  'two shared gradients of sources that two tensors hold meet': [
    [13, 10, 3],
    (a, b, c) => {
      const [first, second, third] = [scale(a, 1), scale(b, 1), scale(c, 1)];
      return add(scale(add(first, second), 10), scale(add(first, third), 3));
    },
  ],
  'a tensor is added to itself, and used again': [
    [2 + 5, 0, 2],
    (a, _, c) => {
      const inner = scale(a, 1);
      return add(add(inner, inner), mul(inner, c));
    },
  ],
  'leaves share with inner tensors': [
    [1 + 1, 1 + 1, 0],
    (a, b) => {
      const inner = scale(b, 1);
      return add(add(a, inner), add(a, inner));
    },
  ],
};

for (const [name, [expected, loss]] of Object.entries(CASES)) {
  gpuTest(`gradients that share memory: ${name}`, async (gpu) => {
    assert.equal(await gradients(gpu, loss), expected);
  });
}

run();
