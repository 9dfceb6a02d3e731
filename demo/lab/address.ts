import type { Choice, Workload } from './protocol.ts';

/** The part of the address after #. */
export interface Address extends Choice {
  /** The file that is shown. */
  file: string;
}

const FIRST_OP = 'softmax';

/** Reads an address. Missing or unknown parts get their defaults, which are small on a software adapter. */
export function parseAddress(hash: string, workloads: readonly Workload[], software: boolean): Address {
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  const asked = (name: string) => given.get(name) ?? '';
  const op = workloads.some((one) => one.op === asked('op')) ? asked('op') : FIRST_OP;
  const shapes = workloads.filter((one) => one.op === op);
  const byDefault = shapes[Math.min(software ? 0 : 1, shapes.length - 1)]!;
  const { shape, kernels } = shapes.find((one) => one.shape === asked('shape')) ?? byDefault;
  const kernel = kernels.includes(asked('kernel')) ? asked('kernel') : kernels.at(-1)!;
  return { op, shape, kernel, file: asked('file') };
}

/** Returns the part of an address after #. */
export function showAddress({ op, shape, kernel, file }: Address): string {
  const shown = new URLSearchParams({ op, shape, ...(kernel !== 'shipped' && { kernel }), ...(file && { file }) });
  // These characters need no escape, and are easier to read without one.
  return shown.toString().replaceAll('%2F', '/').replaceAll('%2A', '*').replaceAll('%2C', ',');
}

/** Returns the file to show first: the op's own, or the last one if it has none. */
export function mainFile(op: string, paths: readonly string[]): string {
  const name = op.replace(/-backward$/, '').replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  const own = [`${name}.wgsl`, `${name}.forward.wgsl`].map((file) => paths.find((path) => path.endsWith(`/${file}`)));
  return own.find(Boolean) ?? paths.at(-1)!;
}
