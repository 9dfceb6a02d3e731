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
  /** The op with its inputs: `linear(relu[64,512], head.weight[10,512], head.bias[10])`. */
  call: string;
  pass: 'forward' | 'backward';
  /** `output`, or `input 1` if the op got a bad input; in backward `gradient of output` or `gradient of input 1`. */
  tensor: string;
  shape: Shape;
  /** Index of the first bad element, one number per dimension. */
  at: number[];
  /** Number of elements that are NaN, and that are infinite. */
  nan: number;
  infinite: number;
}

/** The error of {@link detectAnomaly}. The stack of its `cause` is where the op was called in the forward pass. */
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
 * Runs `fn` and checks every result of its ops, forward and backward, for NaN and infinities. PyTorch's
 * `torch.autograd.detect_anomaly` checks only gradients, for NaN. The check costs one dispatch per tensor and one readback at
 * the end. It does not see into captured steps: call the captured function instead. Only one can run at a time.
 *
 * @param names names of tensors in messages, instead of their labels: `new Map([...model.namedParameters()].map(([name, p]) => [p, name]))`
 * @returns the result of `fn`, awaited
 * @throws AnomalyError for the first op with a bad result, even if `fn` throws because of it
 */
export async function detectAnomaly<T>(
  gpu: Gpu,
  fn: () => T | Promise<T>,
  names: ReadonlyMap<Tensor, string> = new Map(),
): Promise<T> {
  const watching = autogradState.of(gpu);
  if (watching.watcher) throw new Error('detectAnomaly: one is already running; await it before starting another');
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
    // Results of ops were checked as outputs.
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
