// Adapts a classifier on the embeddings of another network, such as CLIP or DINO, from labelled to unlabelled ones.
//
//   npx padagrad run examples/features.mjs                                (in a clone: npm run example -- examples/features.mjs)
//   npx padagrad run examples/features.mjs SOURCE.npy LABELS.npy TARGET.npy
//
// Shows: .npy files as data, standardised features, the network mlp, class weights, and predictions with probabilities. Files hold f32 [n, d]
// and integer labels [n]. Without files it makes embeddings: eight classes around random centres, of which the target has three.
// The target's are shifted and longer. `padagrad train --source npy:SOURCE.npy --target npy:TARGET.npy` does the same.
import { readFile } from 'node:fs/promises';
import { createGpu, dataStatistics, mlp, Random, standardize } from 'padagrad';
import { pada, predict, readNpy, train } from 'padagrad/train';

const random = new Random(1);
const DIM = 64;
const CLASSES = 8;

/** About a normal distribution: the sum of twelve uniform numbers has variance 1. */
const normal = () => Array.from({ length: 12 }, () => random.uniform()).reduce((sum, u) => sum + u, -6);

const centres = Array.from({ length: CLASSES }, () => Array.from({ length: DIM }, normal));
const shift = Array.from({ length: DIM }, normal);

function embeddings(count, classes, { length, shifted }) {
  const labels = Uint8Array.from({ length: count }, (_, i) => classes[i % classes.length]);
  const features = Float32Array.from({ length: count * DIM }, (_, i) => {
    const [example, d] = [Math.floor(i / DIM), i % DIM];
    return length * (centres[labels[example]][d] + shifted * shift[d] + normal());
  });
  return { features, labels, count, dim: DIM };
}

async function read(path, labelsPath) {
  const file = async (name) => name && { name, bytes: await readFile(name) };
  return readNpy({ data: await file(path), labels: await file(labelsPath) });
}

const [sourcePath, labelsPath, targetPath] = process.argv.slice(2);
const PRESENT = [1, 4, 6];
const made = embeddings(150, PRESENT, { length: 1.3, shifted: 0.7 });
const source = sourcePath
  ? await read(sourcePath, labelsPath)
  : embeddings(800, [...centres.keys()], { length: 1, shifted: 0 });
const { labels: answers, ...target } = targetPath ? await read(targetPath) : made;

// Both domains are standardised with the source's statistics, as whatever is predicted later must be.
const statistics = dataStatistics(source);
const standard = (data) => standardize(data, statistics);

const gpu = await createGpu();
const method = pada({ classWeightUpdateSteps: 25 });
const { result, trainer } = await train({
  ...{ gpu, source: standard(source), target: standard(target), model: mlp, method },
  ...{ iterations: 100, batchSize: 32 },
});
const present = result.classWeight.flatMap((weight, c) => (weight > 0.5 ? [c] : []));
console.log(`the target seems to contain the classes ${present.join(', ')}`);

const { labels, probabilities } = await predict(gpu, { data: standard(target), model: trainer.model });
const classes = probabilities.length / labels.length;
for (let i = 0; i < 3; i++)
  console.log(`example ${i}: class ${labels[i]}, probability ${probabilities[i * classes + labels[i]].toFixed(2)}`);
if (answers) {
  const right = labels.filter((label, i) => label === answers[i]).length;
  console.log(`${right >= 140 ? 'nearly all' : right} of ${target.count} are right`);
}
trainer.dispose();
gpu.dispose();
