import source from '../../shaders/anomaly.wgsl';
import { autogradState } from '../autograd.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { type Shape, showShape } from '../shape.ts';
import { type Tensor, tensor } from '../tensor.ts';
import { keep } from '../tidy.ts';

const kernel = /* @__PURE__ */ defineKernel('anomaly', source, ['look']);
const NEVER = 0xffffffff;

/** The first tensor that held a NaN or an infinity. */
export interface Anomaly {
  /** The op that computed it, by the name of its function: `log`. */
  op: string;
  /** What it was called with: `linear(relu[64,512], head.weight[10,512], head.bias[10])`. */
  call: string;
  pass: 'forward' | 'backward';
  /** `output`, or `input 1` where the op was given what was bad already; in backward `gradient of ...` either. */
  tensor: string;
  shape: Shape;
  /** Where the first bad element is, an index for each dimension. */
  at: number[];
  /** How many elements are NaN, and how many infinite. */
  nan: number;
  infinite: number;
}

/** What {@link detectAnomaly} found. The stack of its `cause` is that of the op's call in the forward pass. */
export class AnomalyError extends Error {
  override name = 'AnomalyError';
  constructor(
    readonly anomaly: Anomaly,
    options: ErrorOptions,
  ) {
    const { call, pass, tensor, shape, at, nan, infinite } = anomaly;
    const held = [nan && `${nan} NaN`, infinite && `${infinite} infinite`].filter(Boolean).join(' and ');
    super(`${call}, ${pass}: its ${tensor} ${showShape(shape)} has ${held}, the first at ${showShape(at)}`, options);
  }
}

/**
 * Runs `fn` and looks at all that its ops compute, forward and backward, for NaN and infinities
 * (`torch.autograd.detect_anomaly`, which looks at gradients for NaN). Looks at bits, on the GPU, at the cost of a dispatch for
 * each tensor and one readback at the end. Captured steps are not looked into: call what was captured. One at a time.
 *
 * @param names what messages call a tensor, in place of its label: `new Map([...model.namedParameters()].map(([name, p]) => [p, name]))`
 * @returns what `fn` returned, or its promise resolved to
 * @throws AnomalyError with the op that computed the first bad tensor, even if `fn` throws because of it
 */
export async function detectAnomaly<T>(
  gpu: Gpu,
  fn: () => T | Promise<T>,
  names: ReadonlyMap<Tensor, string> = new Map(),
): Promise<T> {
  const watching = autogradState.of(gpu);
  if (watching.watcher) throw new Error('detectAnomaly: another one is under way; await it first');
  const first = keep(tensor(gpu, Uint32Array.of(NEVER, NEVER, 0, 0), undefined, 'anomaly'));
  const looks: (Omit<Anomaly, 'at' | 'nan' | 'infinite'> & { cause: Error | undefined })[] = [];
  const calls = new WeakMap<Tensor, Error>();
  watching.watcher = ({ name: op, inputs, output }, gradient, i) => {
    const call = `${op}(${inputs.map((x) => `${names.get(x) ?? x.label}${showShape(x.shape)}`).join(', ')})`;
    const look = (x: Tensor, what: string): void => {
      const { shape, size } = x;
      if (x.dtype !== 'f32') return;
      kernel.look({ x, first }, { size, look: looks.length }, Math.ceil(size / 64));
      looks.push({ op, call, pass: gradient ? 'backward' : 'forward', tensor: what, shape, cause: calls.get(output) });
    };
    gpu.queue.refuseInCapture('detectAnomaly');
    if (gradient) return look(gradient, `gradient of ${i === undefined ? 'output' : `input ${i}`}`);
    calls.set(output, new Error(`${op} was called here`));
    // What ops made was looked at as their output.
    for (const [k, x] of inputs.entries()) if (!x.node) look(x, `input ${k}`);
    look(output, 'output');
  };
  const report = async (): Promise<void> => {
    watching.watcher = undefined;
    const [number, place, nan, infinite] = await first.readU32().finally(() => first.dispose());
    if (number === NEVER) return;
    const { cause, ...where } = looks[number!]!;
    let rest = place!;
    const at = where.shape.map(() => 0);
    for (let d = at.length - 1; d >= 0; d--) {
      at[d] = rest % where.shape[d]!;
      rest = Math.floor(rest / where.shape[d]!);
    }
    throw new AnomalyError({ ...where, at, nan: nan!, infinite: infinite! }, { cause });
  };
  try {
    return await fn();
  } finally {
    await report();
  }
}
