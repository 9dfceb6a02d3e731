// Adapts a classifier from a folder of labelled photos to a folder of unlabelled ones, and prints a label for each.
//
//   npm run example -- examples/photos.mjs SOURCE TARGET      SOURCE holds a folder of images per class, TARGET images
//
// Shows: image files as data (decoded by sharp), train(), and predict(). `padagrad train` and `padagrad predict` do the same.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createGpu } from 'padagrad';
import { imagesOfFolder, pada, predict, readImageFiles, train } from 'padagrad/train';
import sharp from 'sharp';

const SIZE = 32;

/** Turns a file into bytes [channels, height, width], as padagrad stores images. */
async function decode(bytes, { channels, size: [height, width] }) {
  const image = sharp(bytes).rotate().flatten({ background: '#fff' }).resize(width, height);
  const { data } = await image.toColourspace('srgb').raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  const planes = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) planes[(i % channels) * height * width + Math.floor(i / channels)] = data[i];
  return { data: planes, height, width };
}

async function readFolder(folder) {
  const files = imagesOfFolder(folder, await readdir(folder, { recursive: true }));
  const read = (name) => readFile(join(folder, name));
  return readImageFiles(files, { read, decode, channels: 3, size: [SIZE, SIZE], resize: 'crop' });
}

const [sourceFolder, targetFolder] = process.argv.slice(2);
if (!targetFolder) throw new Error('usage: npm run example -- examples/photos.mjs SOURCE TARGET');
const [source, target] = await Promise.all([sourceFolder, targetFolder].map(readFolder));
const gpu = await createGpu();
const method = pada({ classWeightUpdateSteps: 20 });
const { result, trainer } = await train({ gpu, source, target, method, iterations: 200, batchSize: 16 });
const nameOf = (c) => source.classNames?.[c] ?? c;
const present = result.classWeight.flatMap((weight, c) => (weight > 0.5 ? [nameOf(c)] : []));
console.log(`the target seems to contain ${present.join(', ')}`);
const { labels } = await predict(gpu, { data: target, model: trainer.model });
for (const [i, name] of target.names.entries()) console.log(`${name} ${nameOf(labels[i])}`);
trainer.dispose();
gpu.dispose();
