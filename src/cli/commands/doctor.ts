import type { Command } from 'commander';

import { gemmFamily } from '../../gemm/settings.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import type { Context } from '../context.ts';
import { deviceOf, nameOf } from '../device.ts';
import { describeFailure, EXIT, type Failure } from '../errors.ts';
import { addCommonFlags } from '../flags.ts';
import { adapterAdvice, webgpuAdvice } from '../show/advice.ts';
import { thisMachine } from '../show/machine.ts';
import { Terminal } from '../show/terminal.ts';

// The features that kernels use, with what each is good for.
const FEATURES = {
  subgroups: 'faster matrix products',
  'shader-f16': 'half precision',
  'timestamp-query': "the bench's GPU times",
} as const;

const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupsPerDimension',
] as const;

/** `padagrad doctor`: what this machine computes on, or what to do so that it can. */
export function addDoctor(root: Command, context: Context): void {
  const command = root
    .command('doctor')
    .description('adapter, driver, features and limits; what to do where something is missing');
  addCommonFlags(command).action(async (flags: { json?: boolean }) => {
    const terminal = new Terminal(context.stdout, context.stderr, flags.json === true);
    terminal.line(`node        ${process.version}, ${process.platform} ${process.arch}`);
    let gpu: Gpu | undefined;
    try {
      gpu = await context.openGpu();
      await context.selfTest(gpu);
      healthy(terminal, gpu, await mediumPrecision(context));
    } catch (error) {
      unusable(terminal, describeFailure(error));
      context.exitCode = EXIT.failed;
    } finally {
      gpu?.dispose();
    }
  });
}

/** What multiplies in half precision here, or why nothing does. */
async function mediumPrecision(context: Context): Promise<{ family: string } | { problem: string }> {
  let gpu: Gpu | undefined;
  try {
    gpu = await context.openGpu('medium');
    return { family: deviceOf(gpu).gemmFamily };
  } catch (error) {
    return { problem: describeFailure(error).message };
  } finally {
    gpu?.dispose();
  }
}

function healthy(terminal: Terminal, gpu: Gpu, medium: Awaited<ReturnType<typeof mediumPrecision>>): void {
  const { bold, green, yellow } = terminal.colors;
  const { info, limits } = gpu;
  const limit = Object.fromEntries(LIMITS.map((name) => [name, limits[name]]));
  const features = Object.keys(FEATURES).filter((name) => gpu.features.has(name));
  const missing = Object.entries(FEATURES).filter(([name]) => !gpu.features.has(name));
  const advice = info.software
    ? [
        "this adapter runs on the CPU: right results, no speed; where the machine has a GPU, install the graphics card maker's driver",
      ]
    : [];
  const { subgroupSize } = gpu;

  terminal.line(`adapter     ${bold(nameOf(info))}${info.software ? yellow(' (software)') : ''}`);
  terminal.line(`vendor      ${[info.vendor, info.architecture].filter(Boolean).join(', ') || 'not said'}`);
  terminal.line(`driver      ${info.description || 'not said'}`);
  terminal.line(`features    ${features.join(', ') || 'none of those the kernels use'}`);
  for (const [name, use] of missing) terminal.line(`            without ${name} (${use})`);
  terminal.line(
    `subgroups   ${subgroupSize > 0 ? `${subgroupSize} lanes` : 'not used'}; matrix kernels: ${gemmFamily(gpu)}`,
  );
  terminal.line(
    `precision   ${'family' in medium ? `medium is possible too: by ${medium.family}, which computed what it should` : `highest alone: ${medium.problem}`}`,
  );
  for (const [name, value] of Object.entries(limit))
    terminal.line(`limit       ${name} ${value?.toLocaleString('en-US') ?? 'not said'}`);
  for (const line of advice) terminal.line(`note        ${line}`);
  terminal.line(green('usable: a kernel was compiled and computed what it should'));
  terminal.emit({
    event: 'result',
    usable: true,
    node: process.version,
    platform: process.platform,
    arch: process.arch,
    device: deviceOf(gpu),
    features,
    limits: limit,
    mediumPrecision: medium,
    advice,
  });
}

function unusable(terminal: Terminal, { code, message }: Failure): void {
  const { red, bold } = terminal.colors;
  const machine = thisMachine();
  const advice =
    code === 'NO_WEBGPU'
      ? webgpuAdvice(machine)
      : code === 'NO_ADAPTER'
        ? adapterAdvice(machine)
        : ['update the graphics driver, or report this with the output of `padagrad doctor --json`'];
  terminal.line(`${red(bold('not usable'))}  ${message}`);
  for (const line of advice) terminal.line(`do this     ${line}`);
  terminal.emit({
    event: 'result',
    usable: false,
    code,
    problem: message,
    node: process.version,
    platform: process.platform,
    arch: process.arch,
    advice,
  });
}
