import type { Case } from '../../../bench/harness/case.ts';
import type { OpenCase } from '../../../bench/harness/openCase.ts';
import { createGpu } from '../../../src/gemm/createGpu.ts';
import { GpuError } from '../../../src/gpu/errors.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import type { Fault } from '../protocol.ts';
import type { EditedModule } from './editedModule.ts';
import { type Counting, Flag, guard } from './loopGuard.ts';

// Rounds that no kernel of the bench needs in one invocation, even a simple one, and that every adapter does in a moment; and of a
// loop by itself, which may stand in another one.
const TOGETHER = 2 ** 20;
const APART = 2 ** 14;

/** Compiles edited modules by themselves, so that what is wrong has its line. */
export async function compile(device: GPUDevice, modules: readonly EditedModule[]): Promise<Fault[]> {
  const found: Fault[] = [];
  for (const module of modules) found.push(...module.faults(await infoOf(device, module.code)));
  // A file that several kernels are joined of is wrong once.
  return [...new Map(found.map((fault) => [JSON.stringify(fault), fault])).values()];
}

async function infoOf(device: GPUDevice, code: string): Promise<GPUCompilationInfo> {
  device.pushErrorScope('validation');
  const info = device.createShaderModule({ code }).getCompilationInfo();
  await device.popErrorScope();
  return info;
}

/**
 * Opens a case as its op does, bindings, params and grid alike, on a device that compiles edited text in place of the shipped
 * one. The device is new: no result of the shipped kernel lies in its memory, and nothing that goes wrong there is anybody else's.
 */
export async function openEdited(one: Case, codes: ReadonlyMap<string, string>, gpu: Gpu): Promise<OpenCase> {
  const device = gpu.native;
  const create = device.createShaderModule;
  device.createShaderModule = ({ code, ...rest }) => create.call(device, { ...rest, code: codes.get(code) ?? code });
  const opened = await one.open!(gpu);
  try {
    // Kernels that ran before those that are measured, a forward pass, say what was wrong with them now.
    await gpu.idle();
    return opened;
  } catch (error) {
    opened.dispose();
    throw error;
  }
}

/** The texts that a device compiles in place of the shipped ones. */
export const codesOf = (modules: readonly EditedModule[]): ReadonlyMap<string, string> =>
  new Map(modules.map(({ shipped, code }) => [shipped.code, code]));

/** A device for one edited kernel. */
export const openDevice = ({ options }: Gpu): Promise<Gpu> => createGpu(options);

/**
 * Runs an edited kernel once with its loops counted. Where they cannot be, for it has eight buffers already or mixes its barriers with
 * loops too closely, the run itself has to show whether it ends.
 *
 * @throws GpuError if a loop does not end
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
    if (raised) throw new GpuError('KERNEL', ENDLESS);
  } finally {
    gpu.dispose();
  }
}

/** A text with its loops counted in the first way that compiles. */
async function guarded(device: GPUDevice, code: string): Promise<string | undefined> {
  const ways: [Counting, number][] = [
    ['together', TOGETHER],
    ['apart', APART],
  ];
  for (const [counting, limit] of ways) {
    const text = guard(code, limit, counting);
    if (!text) return undefined;
    const { messages } = await infoOf(device, text);
    if (!messages.some(({ type }) => type === 'error')) return text;
  }
  return undefined;
}

const ENDLESS =
  'A loop goes on and on, so it may never end. Its rounds were counted in a first run, which left it; without a guard it is not run.';
