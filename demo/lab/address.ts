import type { Choice, Subject } from './protocol.ts';

/** What the address holds after its #. */
export interface Address extends Choice {
  /** The file that is shown. */
  file: string;
}

const FIRST_OP = 'softmax';

/** What an address asks for, as far as there is such a thing; small work on a slow adapter, where nothing is asked for. */
export function parseAddress(hash: string, subjects: readonly Subject[], software: boolean): Address {
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  const asked = (name: string) => given.get(name) ?? '';
  const op = subjects.some((one) => one.op === asked('op')) ? asked('op') : FIRST_OP;
  const shapes = subjects.filter((one) => one.op === op);
  const usual = shapes[Math.min(software ? 0 : 1, shapes.length - 1)]!;
  const subject = shapes.find(({ shape }) => shape === asked('shape')) ?? usual;
  const { kernels } = subject;
  const kernel = kernels.includes(asked('kernel')) ? asked('kernel') : kernels.at(-1)!;
  return { op, shape: subject.shape, kernel, file: asked('file') };
}

/** The part of an address after its # that says this. */
export function showAddress({ op, shape, kernel, file }: Address): string {
  const said = new URLSearchParams({ op, shape, ...(kernel !== 'shipped' && { kernel }), ...(file && { file }) });
  // These may stand as they are, and are easier to read.
  return said.toString().replaceAll('%2F', '/').replaceAll('%2A', '*').replaceAll('%2C', ',');
}

/** The file to begin with: that of the op itself, else the last one, which the others serve. */
export function mainFile(op: string, paths: readonly string[]): string {
  const name = op.replace(/-backward$/, '').replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  const own = [`shaders/${name}.wgsl`, `shaders/${name}.forward.wgsl`].find((path) => paths.includes(path));
  return own ?? paths.at(-1)!;
}
