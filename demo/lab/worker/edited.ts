// Compiles and runs edited kernels. The op's own host code opens the case, so bindings, params and grid are the
// shipped ones. Only the device compiles other text.
import type { Case } from '../../../bench/harness/case.ts';
import type { OpenCase } from '../../../bench/harness/openCase.ts';
import { createGpu } from '../../../src/gemm/createGpu.ts';
import { GpuError } from '../../../src/gpu/errors.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import type { Fault } from '../protocol.ts';
import { PROBLEMS } from '../words.ts';
import type { EditedModule } from './editedModule.ts';
import { type Counting, Flag, guard } from './loopGuard.ts';

// No invocation of a benchmark's kernel needs this many rounds in all its loops, or in one loop. Every adapter does them quickly.
const ROUNDS: readonly [Counting, number][] = [
  ['together', 2 ** 20],
  ['apart', 2 ** 14],
];

/** Compiles each module by itself and returns its errors with their lines. */
export async function compile(device: GPUDevice, modules: readonly EditedModule[]): Promise<Fault[]> {
  const found: Fault[] = [];
  for (const module of modules) found.push(...module.faults(await infoOf(device, module.code)));
  // A file that is part of several modules has the same error in each.
  return [...new Map(found.map((fault) => [JSON.stringify(fault), fault])).values()];
}

async function infoOf(device: GPUDevice, code: string): Promise<GPUCompilationInfo> {
  device.pushErrorScope('validation');
  const info = device.createShaderModule({ code }).getCompilationInfo();
  await device.popErrorScope();
  return info;
}

/**
 * Opens a case on a device that compiles edited text instead of the shipped one. The device is new: its memory holds no
 * results of the shipped kernel, and its errors affect no other work.
 *
 * @param codes shipped text to edited text
 */
export async function openEdited(one: Case, codes: ReadonlyMap<string, string>, gpu: Gpu): Promise<OpenCase> {
  const device = gpu.native;
  const create = device.createShaderModule;
  device.createShaderModule = ({ code, ...rest }) => create.call(device, { ...rest, code: codes.get(code) ?? code });
  const opened = await one.open!(gpu);
  try {
    // Opening a backward case runs the forward kernels; their errors appear here.
    await gpu.idle();
    return opened;
  } catch (error) {
    opened.dispose();
    throw error;
  }
}

/** Returns the edited texts by their shipped texts. */
export const codesOf = (modules: readonly EditedModule[]): ReadonlyMap<string, string> =>
  new Map(modules.map(({ shipped, code }) => [shipped.code, code]));

/** Opens another device with the same options. */
export const openDevice = ({ options }: Gpu): Promise<Gpu> => createGpu(options);

/**
 * Runs an edited kernel once with its loops counted. If they cannot be counted, because the kernel already binds eight
 * buffers or has barriers in its loops, it does nothing; the kernel's own run then shows whether it ends.
 * Throws a `GpuError` if a loop exceeds the limit.
 */
export async function tryLoops(one: Case, modules: readonly EditedModule[], original: OpenCase): Promise<void> {
  if (!modules.some(({ code }) => guard(code, 1, 'together'))) return;
  const gpu = await openDevice(original.step.gpu);
  try {
    const codes = new Map<string, string>();
    for (const { shipped, code } of modules) codes.set(shipped.code, (await guarded(gpu.native, code)) ?? code);
    const flag = new Flag(gpu.native);
    const opened = await openEdited(one, codes, gpu).catch(() => undefined);
    if (!opened) return;
    opened.step.run();
    await gpu.idle();
    const raised = await flag.raised();
    opened.dispose();
    if (raised) throw new GpuError('KERNEL', PROBLEMS.endless);
  } finally {
    gpu.dispose();
  }
}

/** Returns the text with its loops counted, in the first way that compiles. */
async function guarded(device: GPUDevice, code: string): Promise<string | undefined> {
  for (const [counting, limit] of ROUNDS) {
    const text = guard(code, limit, counting);
    if (!text) return undefined;
    const { messages } = await infoOf(device, text);
    if (!messages.some(({ type }) => type === 'error')) return text;
  }
  return undefined;
}
