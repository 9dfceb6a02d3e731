// Adapts a network of your own with train().
//
//   npm run example -- examples/own-network.mjs
//
// Shows: a Module whose forward returns { logits, features }, a function that creates it for train(), and layers with their own parts.
// The data are vectors of three classes around three points. The target is shifted, and contains two of the classes.
import { createGpu, Dropout, GELU, LayerNorm, Linear, Module, Random, Sequential } from 'padagrad';
import { pada, predict, train } from 'padagrad/train';

const random = new Random(1);
const CENTRES = [
  [3, 0, 0, 0],
  [0, 3, 0, 0],
  [0, 0, 3, 0],
];

/** `count` vectors around the centres of `classes`, moved by `shift`. */
function vectors(count, classes, shift) {
  const labels = Uint8Array.from({ length: count }, (_, i) => classes[i % classes.length]);
  const features = Float32Array.from({ length: 4 * count }, (_, i) => {
    const centre = CENTRES[labels[Math.floor(i / 4)]];
    return centre[i % 4] + shift + random.uniform() - 0.5;
  });
  return { features, count, dim: 4, labels };
}

class Net extends Module {
  constructor(gpu, { shape, numClasses, random }) {
    super();
    const [inFeatures] = shape; // the shape of one example, [4]
    this.body = new Sequential(
      new Linear(gpu, { inFeatures, outFeatures: 32, random }),
      new LayerNorm(gpu, { normalizedShape: 32 }),
      new GELU(),
      new Dropout({ p: 0.1, seed: 1 }),
    );
    this.head = new Linear(gpu, { inFeatures: 32, outFeatures: numClasses, random });
  }

  forward(x) {
    const features = this.body.forward(x); // [n, 32]
    return { features, logits: this.head.forward(features) };
  }
}

const gpu = await createGpu();
const source = vectors(300, [0, 1, 2], 0);
const target = vectors(100, [0, 1], 0.5);
const { labels: answers, ...unlabelled } = target;

const model = (gpu, spec) => new Net(gpu, spec);
const method = pada({ classWeightUpdateSteps: 50 });
const { trainer } = await train({ gpu, source, target: unlabelled, method, model, iterations: 200, batchSize: 16 });

const { labels } = await predict(gpu, { data: unlabelled, model: trainer.model });
const right = labels.filter((label, i) => label === answers[i]).length;
console.log(`${right >= 95 ? 'nearly all' : right} of 100 target examples are labelled correctly`);
trainer.dispose();
gpu.dispose();
