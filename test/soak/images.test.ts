import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { resolveData } from '../../src/cli/data.ts';
import type { HostImages } from '../../src/data/host.ts';
import { MIB, residentBytes, times } from './measures.ts';

// Reading a folder of many images must be quick and need little memory more than the packed set.

const FILES = times('PADAGRAD_IMAGES', 500);
const SIZE = 64;
const MOST_SECONDS_PER_10_000 = 15;
const MOST_MORE = 64 * MIB;
const DIFFERENT = 100;

const folder = mkdtempSync(join(tmpdir(), 'padagrad-images-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

test(`${FILES} JPEGs of ${SIZE}x${SIZE} are read within ${MOST_MORE / MIB} MiB more than the packed set`, async () => {
  // The shade of an image tells its place.
  const shade = (i: number): number => (i % DIFFERENT) * 2;
  for (const label of ['a', 'b']) mkdirSync(join(folder, label));
  const raw = { width: SIZE, height: SIZE, channels: 3 } as const;
  const jpegs = await Promise.all(
    Array.from({ length: DIFFERENT }, (_, i) =>
      sharp(new Uint8Array(3 * SIZE * SIZE).fill(shade(i)), { raw })
        .jpeg()
        .toBuffer(),
    ),
  );
  const name = (i: number): string => `${i % 2 ? 'b' : 'a'}/${String(i).padStart(6, '0')}.jpg`;
  for (let i = 0; i < FILES; i++) writeFileSync(join(folder, name(i)), jpegs[i % DIFFERENT]!);
  const read = async () => (await resolveData(`folder:${folder}`, 'train')) as HostImages;
  // The first reading fills caches of the decoder.
  if (FILES < 2000) await read();
  const before = await residentBytes();
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, 5);
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  const { images, count, labels, names } = await read();
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  clearInterval(watch);
  // Two cores: a busy machine gives less of them, which is no fault of the reader.
  const busy = (user + system) / 2e6;
  const more = most - before - images.length;
  console.log(
    `${FILES} images: ${seconds.toFixed(2)} s, of which two cores were busy for ${busy.toFixed(2)} s; ${(more / MIB).toFixed(1)} MiB more than the packed ${(images.length / MIB).toFixed(1)} MiB`,
  );
  assert.is(count, FILES);
  const bytes = 3 * SIZE * SIZE;
  for (const [i, file] of names!.entries()) {
    const place = Number(file.slice(2, 8));
    assert.is(labels![i], place % 2);
    const found = images[i * bytes]!;
    assert.ok(Math.abs(found - shade(place)) <= 1, `${file}: ${found}, not ${shade(place)}`);
  }
  assert.ok(busy <= MOST_SECONDS_PER_10_000 * Math.max(1, FILES / 10_000), `${busy} s`);
  assert.ok(more <= MOST_MORE, `${more / MIB} MiB`);
});

test.run();
