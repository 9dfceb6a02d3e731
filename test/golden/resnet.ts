// Golden cases of torchvision's ResNet. The file holds no weights: they are made from a hash. Of each gradient and each running
// statistic it holds a probe: the norm, and 16 elements.

import { backward } from '../../src/autograd.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { ResNet } from '../../src/models/resnet.ts';
import type { HostTensor } from '../../src/nn/stateDict.ts';
import { crossEntropy } from '../../src/ops/crossEntropy.ts';
import { Random } from '../../src/random.ts';
import { type Shape, sizeOf } from '../../src/shape.ts';
import { type Tensor, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { type Actual, type GoldenRunner, load } from './format.ts';
import { copyOf } from './state.ts';

/** Element i of tensor j: uniform in [-0.5, 0.5). */
function hashed(i: number, j: number, seed: number): number {
  let h = Math.imul(i, 0x9e3779b1) + Math.imul(j + 1 + 1000 * seed, 0x85ebca6b);
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  h ^= h >>> 16;
  return (h >>> 0) / 2 ** 32 - 0.5;
}

function fill(shape: Shape, { j, seed, value }: { j: number; seed: number; value: (u: number) => number }) {
  const data = new Float32Array(sizeOf(shape));
  for (let i = 0; i < data.length; i++) data[i] = value(hashed(i, j, seed));
  return { shape, data };
}

function hashedAs(name: string, shape: Shape): (u: number) => number {
  if (/bias$|running_mean$/.test(name)) return (u) => 0.2 * u;
  if (shape.length === 1) return (u) => 1 + 0.4 * u;
  const fanIn = sizeOf(shape.slice(1));
  return shape.length === 4 ? (u) => (u * 2 * Math.sqrt(6 / fanIn)) / Math.sqrt(2) : (u) => (u * 2) / Math.sqrt(fanIn);
}

async function probe(x: Tensor): Promise<Actual> {
  const data = await x.read();
  const at =
    data.length <= 16 ? [...data.keys()] : Array.from({ length: 16 }, (_, k) => Math.floor((k * data.length) / 16));
  const norm = Math.sqrt(data.reduce((sum, v) => sum + v * v, 0));
  return { norm, at, values: { shape: [at.length], data: at.map((i) => data[i]!) } };
}

async function probes(named: Iterable<readonly [string, Tensor]>): Promise<Record<string, Actual>> {
  const entries = await Promise.all([...named].map(async ([name, x]) => [name, await probe(x)] as const));
  return Object.fromEntries(entries);
}

/** Logits in eval mode; then those of a training pass, with its loss, its gradients and the statistics after it. */
export const resnet: GoldenRunner = async (gpu: Gpu, { params, inputs, outputs }) => {
  const { block, layers, num_classes: numClasses, fill_seed: seed, size, batch } = params;
  const kind = block === 'Bottleneck' ? 'bottleneck' : 'basic';
  const model = new ResNet(gpu, { block: kind, layers, numClasses, random: new Random(0) });
  const places = [...(await model.stateDict())].filter(([name]) => !name.endsWith('num_batches_tracked'));
  const state = places.map(([name, { shape }], j): [string, HostTensor] => [
    name,
    fill(shape, { j, seed, value: hashedAs(name, shape) }),
  ]);
  model.loadStateDict(new Map(state));
  const { shape, data } = fill([batch, 3, size, size], { j: 999, seed, value: (u) => u * 2 * Math.sqrt(3) });
  const x = tensor(gpu, data, shape);
  x.requiresGrad = true;
  const labels = load(gpu, inputs.labels, 'labels');

  model.eval();
  const evalLogits = tidy(() => model.forward(x));
  model.train();
  const { logits, loss } = tidy(() => {
    const logits = model.forward(x);
    const loss = crossEntropy(logits, labels);
    backward(loss);
    return { logits, loss };
  });
  const buffers = [...model.namedBuffers()].filter(([name]) => Object.hasOwn(outputs.running as object, name));
  const results = {
    outputs: {
      eval_logits: await copyOf(evalLogits),
      logits: await copyOf(logits),
      loss: await copyOf(loss),
      running: await probes(buffers),
    },
    grads: await probes([['x', x.grad!], ...[...model.namedParameters()].map(([name, p]) => [name, p.grad!] as const)]),
  };
  x.grad!.dispose();
  for (const thing of [evalLogits, logits, loss, x, labels, model]) thing.dispose();
  return results;
};
