// `padagrad doctor`: which adapter there is, whether it computes correctly, and what to do if there is none.
import type { Command } from 'commander';
import { gemmFamily } from '../../gemm/settings.ts';
import { KERNEL_LIMITS } from '../../gpu/device.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { relu } from '../../ops/relu.ts';
import { tensor } from '../../tensor.ts';
import { describeFailure, EXIT } from '../errors.ts';
import { addCommonFlags, type CommonFlags } from '../flags.ts';
import { deviceOf, nameOf, withGpu } from '../gpu.ts';
import { findAdapter, NoAdapter } from '../setup/adapter.mjs';
import { USER } from '../setup/place.ts';
import { runNode, say } from '../setup/process.mjs';
import { adviceFor, thisMachine } from '../show/advice.ts';
import type { Act, Terminal } from '../show/terminal.ts';

// The features that kernels use, and what for.
const FEATURES = {
  subgroups: 'faster matmul',
  'shader-f16': 'half precision',
  'timestamp-query': "the bench's GPU times",
} as const;

/** `padagrad doctor`: shows the device and tests it, or says how to get a usable one. */
export function addDoctor(root: Command, act: Act): void {
  const command = root
    .command('doctor')
    .description('show adapter, driver, features and limits, and how to fix problems');
  command.option('--setup', 'if there is no adapter, install a software one (Linux)');
  addCommonFlags(command).action(
    act<DoctorFlags>((terminal, flags) => (flags.setup ? setUp : examine)(terminal, flags)),
  );
}

interface DoctorFlags extends CommonFlags {
  setup?: boolean;
}

/** Finds or installs an adapter, then examines it. */
async function setUp(terminal: Terminal, flags: DoctorFlags): Promise<number> {
  let changes = {};
  try {
    changes = findAdapter(USER);
  } catch (error) {
    if (!(error instanceof NoAdapter)) throw error;
    say(error.message);
  }
  if (Object.keys(changes).length === 0) return examine(terminal, flags);
  return runNode([process.argv[1] ?? '', 'doctor', ...(flags.json ? ['--json'] : [])], changes);
}

async function examine(terminal: Terminal, _: CommonFlags): Promise<number> {
  const machine = { node: process.version, platform: process.platform, arch: process.arch };
  terminal.line(`node        ${machine.node}, ${machine.platform} ${machine.arch}`);
  try {
    const result = await withGpu('highest', async (gpu) => {
      await selfTest(gpu);
      return describe(terminal, gpu, await mediumPrecision());
    });
    terminal.emit({ event: 'result', usable: true, ...machine, ...result });
    return EXIT.ok;
  } catch (error) {
    const { code, message } = describeFailure(error);
    const advice = adviceFor(code, thisMachine());
    const { red, bold } = terminal.colors;
    terminal.line(`${red(bold('not usable'))}  ${message}`);
    for (const line of advice) terminal.line(`fix         ${line}`);
    terminal.emit({ event: 'result', usable: false, code, problem: message, ...machine, advice });
    return EXIT.failed;
  }
}

/** Runs one kernel and checks its result. @throws Error if it is wrong */
async function selfTest(gpu: Gpu): Promise<void> {
  const x = tensor(gpu, [-1, 2, 3.5]);
  const y = relu(x);
  const result = [...(await y.read())].join(', ');
  if (result !== '0, 2, 3.5')
    throw new Error(`self-test failed: relu([-1, 2, 3.5]) returned [${result}]; the GPU driver is faulty`);
}

type MediumPrecision = { family: string } | { problem: string };

/** Returns the kernels that multiply in half precision on this device, or why none can. */
async function mediumPrecision(): Promise<MediumPrecision> {
  try {
    return await withGpu('medium', async (gpu) => ({ family: deviceOf(gpu).gemmFamily }));
  } catch (error) {
    return { problem: describeFailure(error).message };
  }
}

function describe(terminal: Terminal, gpu: Gpu, medium: MediumPrecision): object {
  const { bold, green, yellow } = terminal.colors;
  const { info, limits, subgroupSize } = gpu;
  const limit = Object.fromEntries(KERNEL_LIMITS.map((name) => [name, limits[name]]));
  const features = Object.keys(FEATURES).filter((name) => gpu.features.has(name));
  const missing = Object.entries(FEATURES).filter(([name]) => !gpu.features.has(name));
  const advice = info.software
    ? ["this adapter runs on the CPU: correct but slow. If you have a GPU, install its vendor's driver"]
    : [];
  const lines: [label: string, text: string][] = [
    ['adapter', `${bold(nameOf(info))}${info.software ? yellow(' (software)') : ''}`],
    ['vendor', [info.vendor, info.architecture].filter(Boolean).join(', ') || 'unknown'],
    ['driver', info.description || 'unknown'],
    ['features', features.join(', ') || 'none used by padagrad'],
    ...missing.map(([name, use]): [string, string] => ['', `missing ${name} (${use})`]),
    ['subgroups', `${subgroupSize > 0 ? `${subgroupSize} lanes` : 'not used'}; matmul kernels: ${gemmFamily(gpu)}`],
    ['precision', precisionLine(medium)],
    ...KERNEL_LIMITS.map((name): [string, string] => [
      'limit',
      `${name} ${limit[name]?.toLocaleString('en-US') ?? 'unknown'}`,
    ]),
    ...advice.map((line): [string, string] => ['note', line]),
  ];
  for (const [label, text] of lines) terminal.line(`${label.padEnd(11)} ${text}`);
  terminal.line(green('OK: test kernel compiled and gave the right result'));
  return { device: deviceOf(gpu), features, limits: limit, mediumPrecision: medium, advice };
}

export const precisionLine = (medium: MediumPrecision): string =>
  'family' in medium ? `medium also available (${medium.family}, self-test passed)` : `highest only: ${medium.problem}`;
