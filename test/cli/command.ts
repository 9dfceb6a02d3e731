import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { suite as createSuite } from 'uvu';
import * as assert from 'uvu/assert';
import { globals } from 'webgpu';
import { main } from '../../src/cli/program.ts';
import type { HostImages } from '../../src/data/host.ts';
import { stripes } from '../train/stripes.ts';

// Real commands in this process, on the GPU, with small images in a temporary folder.

/** A stream that keeps the text written to it; a terminal if asked. */
export class Recorder extends Writable {
  text = '';
  columns = 120;
  constructor(
    readonly isTTY = false,
    private readonly onText: (text: string) => void = () => {},
  ) {
    super();
  }
  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.text += chunk;
    this.onText(String(chunk));
    done();
  }
  get lines(): string[] {
    return this.text.split('\n').filter(Boolean);
  }
  // biome-ignore lint/suspicious/noExplicitAny: events are read as JSON.parse gives them
  get events(): any[] {
    return this.lines.map((line) => JSON.parse(line));
  }
}

/** The devices that this process has opened. */
export const devices: GPUDevice[] = [];
const { prototype } = (globals as unknown as { GPUAdapter: { prototype: GPUAdapter } }).GPUAdapter;
const { requestDevice } = prototype;
prototype.requestDevice = async function (...args) {
  const device = await requestDevice.apply(this, args);
  devices.push(device);
  return device;
};

/** Makes every GPU fail to open with this message, until the function that it returns is called. */
export function refuseDevices(message: string): () => void {
  const { requestDevice: own } = prototype;
  prototype.requestDevice = () => Promise.reject(new Error(message));
  return () => {
    prototype.requestDevice = own;
  };
}

/** A command line: as typed, or as a list of words if some contain blanks. */
type Line = string | readonly string[];

/** Runs a command line. `onOutput` is called with each text on stdout, while the command runs. */
export async function run(line: Line, { tty = false, onOutput = (_: string) => {} } = {}) {
  const args = typeof line === 'string' ? line.split(' ') : line;
  const [stdout, stderr] = [new Recorder(tty, onOutput), new Recorder(tty)];
  const before = devices.length;
  const code = await main(args, { stdout, stderr });
  const opened = devices.slice(before);
  // A command leaves no device open.
  await Promise.all(opened.map(({ lost }) => lost));
  const events = args.includes('--json') && code !== undefined && stdout.text.startsWith('{') ? stdout.events : [];
  return { code, stdout, stderr, events, result: events.at(-1), opened: opened.length };
}

/** Runs a command line that must be refused: exit code 2, one line on stderr, no GPU. */
export async function refused(line: Line, message: RegExp | string): Promise<void> {
  const { code, stdout, stderr, opened } = await run(line);
  assert.equal([code, stdout.text, stderr.lines.length, opened], [2, '', 1, 0], `${line}: ${stderr.text}`);
  assert.match(stderr.text, message);
}

/** Calls `act` once at the end of iteration `done` of a run with `-p 1 --json`. */
export function at(done: number, act: () => void): { onOutput: (text: string) => void } {
  return {
    onOutput: (text) =>
      void (text.startsWith(`{"event":"progress"`) && JSON.parse(text).iteration === done - 1 && act()),
  };
}

/** Writes images with their labels as the IDX files of a prefix. */
export function writeIdx(prefix: string, { images, labels, count, height, width }: HostImages): void {
  for (const [name, shape, data] of [
    ['images-idx3-ubyte', [count, height, width], images],
    ['labels-idx1-ubyte', [count], labels],
  ] as const) {
    if (!data) continue;
    const header = new DataView(new ArrayBuffer(4 + 4 * shape.length));
    header.setUint32(0, 0x0800 + shape.length);
    for (const [i, size] of shape.entries()) header.setUint32(4 + 4 * i, size);
    writeFileSync(`${prefix}-${name}`, Buffer.concat([new Uint8Array(header.buffer), Uint8Array.from(data, Number)]));
  }
}

/** `idx:s` has four classes of 16x16 images, `idx:t` the first two of them, `idx:bare` no labels. */
export const DATA = '-s idx:s -t idx:t --target-test idx:t --source-test idx:s -b 8';
export const TRAIN = `train ${DATA}`;

/** Puts the tests of a suite into a temporary folder with the images of {@link DATA}; returns its path when called. */
export function inFolder(suite: ReturnType<typeof createSuite>): () => string {
  const folder = mkdtempSync(join(tmpdir(), 'padagrad-cli-'));
  const before = process.cwd();
  suite.before(() => {
    process.chdir(folder);
    writeIdx('s', stripes(60, 1));
    writeIdx('t', stripes(40, 2, { classes: 2, brightness: 120 }));
    const { labels: _, ...bare } = stripes(40, 3);
    writeIdx('bare', bare);
  });
  suite.after(() => {
    process.chdir(before);
    rmSync(folder, { recursive: true, force: true });
  });
  return () => folder;
}
