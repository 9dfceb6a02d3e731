import * as assert from 'uvu/assert';
import * as reference from '../../reference/index.ts';
import { canonicalGeometry } from '../../src/data/canonicalGeometry.ts';
import { ImageDataset } from '../../src/data/dataset.ts';
import type { HostImages } from '../../src/data/host.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { train } from '../../src/train/loop.ts';
import { gpuTest, run } from '../harness.ts';
import { stripesSettings } from '../train/stripes.ts';

/** Images of a bright bar on a ground with faint noise; the first is black, the second has nothing brighter than a quarter. */
function bars(count: number, height: number, width: number): HostImages {
  const images = new Uint8Array(count * height * width);
  for (let i = 0; i < images.length; i++) {
    const n = Math.floor(i / (height * width));
    const [row, column] = [Math.floor(i / width) % height, i % width];
    const isBar = row > 1 && row < 3 + n && column >= n && column < n + 2;
    images[i] = n === 0 ? 0 : (i * i * 7) % 63;
    // The ends are only a little brighter than a quarter.
    if (n > 1 && isBar) images[i] = row === 2 || row === 2 + n ? 70 : 64 + ((i * 53) % 192);
  }
  return { images, count, height, width, labels: new Uint8Array(count).fill(3) };
}

/** The bytes of images after the geometry. */
async function bytesOf(gpu: Gpu, data: HostImages): Promise<Uint8Array> {
  const set = new ImageDataset(gpu, { ...data, geometry: canonicalGeometry }, 1);
  const { buffer, byteOffset } = await set.images.readU32();
  set.dispose();
  return new Uint8Array(buffer, byteOffset, data.images.length);
}

// 5 images of 9 x 7 do not fill their last word; 12 x 12 have more pixels than a workgroup has lanes.
for (const [count, height, width] of [
  [5, 9, 7],
  [6, 12, 12],
] as const)
  gpuTest(`canonicalGeometry of ${height}x${width} gives the reference's bytes`, async (gpu) => {
    const data = bars(count, height, width);
    const bytes = await bytesOf(gpu, data);
    const truth = reference.canonicalGeometry(data.images as Uint8Array, height, width).data;
    assert.is(bytes.length, truth.length);
    for (const [i, byte] of bytes.entries())
      assert.ok(Math.abs(byte - truth[i]!) < 0.501, `byte ${i} is ${byte}, not ${truth[i]}`);
    assert.ok(bytes.subarray(0, height * width).every((byte) => byte === 0));
  });

gpuTest(
  'canonicalGeometry brings an object to the size of those in MNIST, and only moves one of that size',
  async (gpu) => {
    const once = async (rows: number, columns: number) => {
      const images = new Uint8Array(28 * 28);
      for (let row = 1; row < 1 + rows; row++) images.fill(255, 28 * row + 15, 28 * row + 15 + columns);
      const result = await bytesOf(gpu, { images, count: 1, height: 28, width: 28 });
      const inside = [...result.keys()].filter((p) => result[p]! > 127);
      const [across, down] = [inside.map((p) => p % 28), inside.map((p) => Math.floor(p / 28))];
      return [Math.min(...across), Math.max(...across), Math.min(...down), Math.max(...down), new Set(result).size];
    };
    assert.equal((await once(10, 5)).slice(0, 4), [9, 18, 4, 23]);
    assert.equal(await once(20, 10), [9, 18, 4, 23, 2]);
  },
);

gpuTest('a geometry is refused for colours, and for a part of the data', async (gpu) => {
  const colours = { images: new Uint8Array(12), count: 1, channels: 3 as const, height: 2, width: 2 };
  assert.throws(
    () => new ImageDataset(gpu, { ...colours, geometry: canonicalGeometry }, 1),
    /data: geometry canonical moves the object of grey images, but the images have 3 channels; leave it out/,
  );
  const { source, ...settings } = stripesSettings(gpu);
  assert.match(
    await train({ ...settings, source: { ...(source as HostImages), geometry: canonicalGeometry } }).then(
      () => 'none',
      String,
    ),
    /source images have .*geometry canonical but those of the target .*geometry none; use the same for all/,
  );
});

run();
