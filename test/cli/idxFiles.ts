import { writeFileSync } from 'node:fs';
import type { HostImages } from '../../src/data/dataset.ts';

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
    writeFileSync(`${prefix}-${name}`, Buffer.concat([new Uint8Array(header.buffer), Uint8Array.from(data)]));
  }
}
