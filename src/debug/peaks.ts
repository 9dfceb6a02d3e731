// Measures the most that an adapter can do: multiply-adds, bytes and launches per second. The bench, the kernel lab and profiles show every
// kernel's time as a share of it, because a share says more than a time about a kernel on an unknown GPU.
import halfSource from '../../shaders/peaks.half.wgsl';
import source from '../../shaders/peaks.wgsl';
import { type CapturedStep, capture } from '../capture.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { defineKernel, type Launch, type Params } from '../gpu/kernel.ts';
import { Timer } from '../gpu/timer.ts';
import { empty, tensor } from '../tensor.ts';

const kernel = /* @__PURE__ */ defineKernel('peaks', source, ['scalar', 'vector', 'load', 'fill', 'copy', 'nothing']);
const halfKernel = /* @__PURE__ */ defineKernel('peaks.half', halfSource, ['half']);

/** The highest measured rates of an adapter, to compare kernels with. */
export interface Peaks {
  /** 1e9 operations per second; a multiply-add counts as two. `halfGflops` is null if the adapter has no half precision. */
  scalarGflops: number;
  vectorGflops: number;
  halfGflops: number | null;
  /** 1e9 bytes per second. A copy counts the bytes that it reads and those that it writes. */
  readGbps: number;
  writeGbps: number;
  copyGbps: number;
  /** Microseconds of one dispatch among many, of a submit until it is done, and of reading 4 bytes back. */
  dispatchUs: number;
  submitUs: number;
  readbackUs: number;
  clock: 'timestamps' | 'wall';
}

const WORKGROUP = 128;
const COUNT = 16;
const MIB = 2 ** 20;

/** Returns the rate of the faster kind of multiply-add. */
export const peakGflops = ({ scalarGflops, vectorGflops }: Peaks): number => Math.max(scalarGflops, vectorGflops);

/**
 * Measures an adapter's highest rates in a second or two.
 *
 * @param seconds time per measurement. Default: 0.1
 * @throws Error if a result is wrong
 */
export async function measurePeaks(gpu: Gpu, seconds = 0.1): Promise<Peaks> {
  const probe = new Probe(gpu, seconds);
  // A software adapter has few cores. A GPU needs some thousand invocations per core.
  const groups = gpu.info.software ? 64 : 4096;
  const scalarGflops = await probe.multiplyAdds(kernel.scalar, groups, { numbers: 8, steps: 8 });
  const vectorGflops = await probe.multiplyAdds(kernel.vector, groups, { numbers: 8, steps: 8 });
  const halfGflops = gpu.features.has('shader-f16')
    ? await probe.multiplyAdds(halfKernel.half, groups, { numbers: 16, steps: 4, half: true })
    : null;
  // Larger than the caches.
  const bytes = Math.min((gpu.info.software ? 32 : 256) * MIB, gpu.limits.maxStorageBufferBindingSize!);
  const bandwidth = await probe.bandwidth(Math.floor(bytes / (16 * COUNT * WORKGROUP)) * COUNT * WORKGROUP);
  return { scalarGflops, vectorGflops, halfGflops, ...bandwidth, ...(await probe.latencies()), clock: probe.clock };
}

class Probe {
  private readonly timer: Timer;

  constructor(
    private readonly gpu: Gpu,
    private readonly seconds: number,
  ) {
    this.timer = new Timer(gpu.device);
  }

  get clock(): Peaks['clock'] {
    return this.timer.clock;
  }

  /** Returns 1e9 operations per second. Each invocation has `numbers` numbers, and a round takes each through `steps` steps. */
  async multiplyAdds(
    launch: Launch,
    groups: number,
    { numbers, steps, half = false }: { numbers: number; steps: number; half?: boolean },
  ): Promise<number> {
    const [factor, increment] = half ? [-1, 1] : [1, 2 ** -10];
    const unused: Params = half ? {} : { stride: 0, offset: 0 };
    const invocations = groups * WORKGROUP;
    const result = empty(this.gpu, [invocations, numbers]);
    try {
      let flops = 0;
      const make = (rounds: number) => {
        flops = 2 * rounds * steps * numbers * invocations;
        return capture(this.gpu, () => launch({ result }, { ...unused, rounds, factor, increment }, groups));
      };
      // Enough rounds that a dispatch takes a quarter of the time.
      let rounds = 64;
      let step = await make(rounds);
      const seconds = await this.timer.run(step.commands, 1);
      step.dispose();
      rounds = Math.min(8192, Math.max(rounds, Math.ceil((rounds * this.seconds) / 4 / Math.max(seconds, 1e-6))));
      step = await make(rounds);
      step.run();
      const added = half ? 0 : rounds * steps * increment;
      const values = await result.read();
      const wrong = values.findIndex((v, i) => v !== (Math.floor(i / numbers) % 8) + (i % numbers) + added);
      if (wrong >= 0)
        throw new Error(`peaks: multiply-add ${wrong} gave ${values[wrong]}: the driver computes incorrectly`);
      const best = await this.best(step);
      step.dispose();
      return flops / best / 1e9;
    } finally {
      result.dispose();
    }
  }

  /** Returns 1e9 bytes per second, on a buffer of `vectors` vec4. */
  async bandwidth(vectors: number): Promise<Pick<Peaks, 'readGbps' | 'writeGbps' | 'copyGbps'>> {
    const { gpu } = this;
    const numbers = new Float32Array(4 * vectors);
    for (let i = 0; i < numbers.length; i++) numbers[i] = i % 1021;
    const source = tensor(gpu, numbers);
    const result = empty(gpu, [vectors, 4]);
    const groups = vectors / COUNT / WORKGROUP;
    const layouts = [
      { stride: WORKGROUP, offset: 1 },
      { stride: 1, offset: COUNT },
    ];
    // The faster of both layouts; both are checked.
    const measure = async (
      launch: (params: Params) => void,
      times: number,
      isRight: (values: Float32Array, layout: Layout) => boolean,
    ) => {
      let most = 0;
      for (const layout of layouts) {
        const step = await capture(gpu, () => launch({ ...layout, rounds: 0, factor: 1, increment: 7 }));
        step.run();
        if (!isRight(await result.read(), layout))
          throw new Error('peaks: a read, fill or copy gave wrong values: the driver computes incorrectly');
        most = Math.max(most, (16 * vectors * times) / (await this.best(step)) / 1e9);
        step.dispose();
      }
      return most;
    };
    try {
      return {
        readGbps: await measure(
          (params) => kernel.load({ source, result }, params, groups),
          1,
          (values, layout) => isSummed(numbers, values, layout),
        ),
        writeGbps: await measure(
          (params) => kernel.fill({ result }, params, groups),
          1,
          (values) => values.every((v) => v === 7),
        ),
        copyGbps: await measure(
          (params) => kernel.copy({ source, result }, params, groups),
          2,
          (values) => values.every((v, i) => v === numbers[i]),
        ),
      };
    } finally {
      source.dispose();
      result.dispose();
    }
  }

  async latencies(): Promise<Pick<Peaks, 'dispatchUs' | 'submitUs' | 'readbackUs'>> {
    const { gpu, timer } = this;
    const result = tensor(gpu, new Float32Array(4));
    const params = { rounds: 1, stride: 0, offset: 0, factor: 1, increment: 0 };
    const step = await capture(gpu, () => kernel.nothing({ result }, params, 1));
    const many = 500;
    const dispatchUs = (1e6 * median(await collect(5, () => timer.run(step.commands, many)))) / many;
    const wall = async (work: () => Promise<unknown>) => {
      const begin = performance.now();
      await work();
      return 1e3 * (performance.now() - begin);
    };
    const submit = () => {
      step.run();
      return gpu.idle();
    };
    const submitUs = median(await collect(25, () => wall(submit)));
    const readbackUs = median(await collect(25, () => wall(() => result.read())));
    step.dispose();
    result.dispose();
    return { dispatchUs, submitUs, readbackUs };
  }

  /** Returns the seconds of the fastest of several runs, which is the least disturbed. */
  private async best(step: CapturedStep<unknown>): Promise<number> {
    const first = await this.timer.run(step.commands, 1);
    const times = Math.min(1000, Math.max(1, Math.ceil(this.seconds / 4 / Math.max(first, 1e-6))));
    return Math.min(...(await collect(4, () => this.timer.run(step.commands, times)))) / times;
  }
}

interface Layout {
  /** vec4 between those of one invocation. */
  stride: number;
  /** vec4 between neighbouring invocations. */
  offset: number;
}

/** Whether each invocation added its own vec4. */
function isSummed(numbers: Float32Array, sums: Float32Array, { stride, offset }: Layout): boolean {
  for (let i = 0; i < numbers.length / COUNT; i++) {
    const thread = Math.floor(i / 4);
    const first = COUNT * WORKGROUP * Math.floor(thread / WORKGROUP) + (thread % WORKGROUP) * offset;
    let sum = 0;
    for (let j = 0; j < COUNT; j++) sum += numbers[4 * (first + j * stride) + (i % 4)]!;
    if (sums[i] !== sum) return false;
  }
  return true;
}

async function collect<T>(times: number, make: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let i = 0; i < times; i++) results.push(await make());
  return results;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;
