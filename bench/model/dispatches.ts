// The dispatches of captured steps as plain data, so that a prediction needs no GPU: which pipeline, how many workgroups, how much
// work. `npm run gpu-compile -- --model` writes those of the steps and benches to kernels.json, with what compilers make of the
// pipelines.
import type { CommandList } from '../../src/gpu/commandList.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import type { Dispatch } from '../../src/gpu/recording.ts';

/** One dispatch of a step. */
export interface Work {
  /** The key of its pipeline: {@link keyOf}. */
  pipeline: string;
  workgroups: number;
  /** Floating-point operations; 0 if they are not counted. */
  flops: number;
  /** Bytes of all tensors that it binds, each counted once. */
  bytes: number;
  /** GEMMs: the steps of k that a workgroup adds up. */
  k?: number;
}

/** The dispatches of a step. */
export interface StepWork {
  /** Bytes of all buffers that the step binds, each counted once. */
  footprint: number;
  works: Work[];
}

/** Returns the dispatches of command lists that run one after the other. */
export function stepWork(lists: readonly CommandList[]): StepWork {
  const dispatches = lists.flatMap((list) => list.dispatches);
  const storages = new Set(dispatches.flatMap(({ bindings }) => bindings.map(({ storage }) => storage)));
  const footprint = [...storages].reduce((sum, { buffer }) => sum + buffer.size, 0);
  return { footprint, works: dispatches.map(workOf) };
}

function workOf({ pipeline, grid, flops, bytes, params }: Dispatch): Work {
  const [x, y, z] = grid;
  const { label, module, constants } = pipeline;
  const work = { pipeline: keyOf(label, module.code, constants), workgroups: x * y * z, flops, bytes };
  const view = new DataView(params);
  const param = (name: string) => {
    const field = module.fields.find((one) => one.name === name);
    return field && view.getUint32(field.offset, true);
  };
  return label.endsWith('.gemm') ? { ...work, k: Math.min(param('k')!, param('kPerPart')!) } : work;
}

/** Names a pipeline by its label and constants; the two epilogues of a GEMM share both. */
export function keyOf(label: string, code: string, constants: Readonly<Record<string, number>> = {}): string {
  const set = Object.entries(constants).filter(([, value]) => value !== 0);
  const split = label.endsWith('.gemm') && /read_write> partial:/.test(code);
  return [label, ...(split ? ['split'] : []), ...set.map(([name, value]) => `${name}=${value}`)].join(' ');
}

/** Runs something and returns the lists of the captured steps that it ran. */
export async function listsOfRun(gpu: Gpu, run: () => void | Promise<void>): Promise<CommandList[]> {
  const { queue } = gpu;
  const lists: CommandList[] = [];
  const submit: typeof queue.submit = (added = [], read) => {
    lists.push(...added);
    Object.getPrototypeOf(queue).submit.call(queue, added, read);
  };
  Object.defineProperty(queue, 'submit', { configurable: true, value: submit });
  try {
    await run();
  } finally {
    Reflect.deleteProperty(queue, 'submit');
  }
  return lists;
}
