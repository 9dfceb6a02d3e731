// Parameters and buffers of golden files, by name; batch counters are not in them.

import type { Values } from '../../reference/index.ts';
import type { Module } from '../../src/nn/index.ts';
import { type Tensor, write } from '../../src/tensor.ts';
import type { GoldenTensor } from './format.ts';

const stateOf = (module: Module<unknown>): Map<string, Tensor> =>
  new Map([...module.namedParameters(), ...module.namedBuffers()]);

/** Overwrites a module's parameters and buffers. A name that the module does not have throws. */
export function loadState(module: Module<unknown>, state: Record<string, GoldenTensor>): void {
  const own = stateOf(module);
  for (const [name, { data }] of Object.entries(state)) {
    const target = own.get(name);
    if (!target) throw new Error(`golden: the module has no ${name}; it has ${[...own.keys()].join(', ')}`);
    write(target, Float32Array.from(data, Number));
  }
}

/** Copies a tensor to the host, so later work does not change it. */
export const copyOf = async (x: Tensor): Promise<Values> => ({ shape: x.shape, data: await x.read() });

const copies = async (named: Iterable<readonly [string, Tensor]>): Promise<Record<string, Values>> =>
  Object.fromEntries(await Promise.all([...named].map(async ([name, x]) => [name, await copyOf(x)] as const)));

/** Copies the parameters and buffers that a golden state names. */
export const readState = (module: Module<unknown>, golden: object): Promise<Record<string, Values>> => {
  const own = stateOf(module);
  return copies(Object.keys(golden).map((name) => [name, own.get(name)!]));
};

/** Copies the gradients of all parameters. */
export const readGrads = (module: Module<unknown>): Promise<Record<string, Values>> =>
  copies([...module.namedParameters()].map(([name, x]) => [name, x.grad!]));
