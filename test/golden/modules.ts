import type { Gpu } from '../../src/gpu/gpu.ts';
import type { Module } from '../../src/nn/index.ts';
import { type Tensor, tensor, write } from '../../src/tensor.ts';
import type { GoldenTensor } from './format.ts';

/** Parameters and buffers of golden files by name; batch counters are not in them. */
export type GoldenState = Record<string, GoldenTensor>;

const stateOf = (module: Module<unknown>): Map<string, Tensor> =>
  new Map([...module.namedParameters(), ...module.namedBuffers()]);

/** Overwrites a module's parameters and buffers; a name that the module lacks fails. */
export function loadState(module: Module<unknown>, state: GoldenState): void {
  const own = stateOf(module);
  for (const [name, { data }] of Object.entries(state)) {
    const target = own.get(name);
    if (!target) throw new Error(`golden: the module has no ${name}; it has ${[...own.keys()]}`);
    write(target, Float32Array.from(data, Number));
  }
}

/** Copies of the tensors that a golden state names, read back at once: later steps overwrite them. */
export async function readState(
  gpu: Gpu,
  module: Module<unknown>,
  names: readonly string[],
): Promise<Record<string, Tensor>> {
  const own = stateOf(module);
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await frozen(gpu, own.get(name)!)] as const)),
  );
}

/** Copies of gradients by name. */
export async function readGrads(gpu: Gpu, module: Module<unknown>): Promise<Record<string, Tensor>> {
  const entries = [...module.namedParameters()];
  return Object.fromEntries(
    await Promise.all(entries.map(async ([name, x]) => [name, await frozen(gpu, x.grad!)] as const)),
  );
}

/** A copy that later work does not change. */
export async function frozen(gpu: Gpu, x: Tensor): Promise<Tensor> {
  return tensor(gpu, await x.read(), x.shape);
}
