// Trains a small network on numbers, and stops when the validation loss no longer falls.
//
//   npm run example -- examples/two-moons.mjs
//
// Shows: a captured training step, a warm-up followed by cosine annealing, validation without gradients, early stopping, and going back to
// the best weights. The data are points in the plane on two half circles, which no straight line separates.
import {
  AdamW,
  backward,
  binaryCrossEntropyWithLogits,
  CosineAnnealingLR,
  capture,
  createGpu,
  Linear,
  LinearLR,
  noGrad,
  Random,
  Sequential,
  SequentialLR,
  Tanh,
  tensor,
  tidy,
  write,
} from 'padagrad';

const gpu = await createGpu();
const random = new Random(1);
const BATCH = 64;

function moons(count) {
  const points = new Float32Array(2 * count);
  const labels = Float32Array.from({ length: count }, (_, i) => i % 2);
  labels.forEach((label, i) => {
    const angle = Math.PI * random.uniform();
    const noise = () => 0.2 * (random.uniform() - 0.5);
    points[2 * i] = (label ? 1 - Math.cos(angle) : Math.cos(angle)) + noise();
    points[2 * i + 1] = (label ? 0.5 - Math.sin(angle) : Math.sin(angle)) + noise();
  });
  return { points, labels };
}

const training = moons(1024);
const validation = moons(256);
const held = { x: tensor(gpu, validation.points, [256, 2]), labels: tensor(gpu, validation.labels, [256, 1]) };

const net = new Sequential(
  new Linear(gpu, { inFeatures: 2, outFeatures: 32, random }),
  new Tanh(),
  new Linear(gpu, { inFeatures: 32, outFeatures: 32, random }),
  new Tanh(),
  new Linear(gpu, { inFeatures: 32, outFeatures: 1, random }),
);
const adam = new AdamW(net.parameters(), { lr: 0.01 });
const schedule = new SequentialLR(
  [
    new LinearLR(adam, { lr: 0.01, startFactor: 0.1, totalIters: 20 }),
    new CosineAnnealingLR(adam, { lr: 0.01, tMax: 980 }),
  ],
  [20],
);

// One batch, which is overwritten before each run.
const x = tensor(gpu, new Float32Array(2 * BATCH), [BATCH, 2]);
const labels = tensor(gpu, new Float32Array(BATCH), [BATCH, 1]);
const step = await capture(gpu, () => {
  adam.zeroGrad();
  const loss = binaryCrossEntropyWithLogits(net.forward(x), labels);
  backward(loss);
  adam.step();
  return loss;
});

const PATIENCE = 5; // epochs without a better validation loss
let best = { loss: Number.POSITIVE_INFINITY, epoch: 0, weights: await net.stateDict() };
let iterations = 0;
for (let epoch = 1; epoch - best.epoch <= PATIENCE && iterations < 1000; epoch++) {
  for (let i = 0; i < 1024 / BATCH; i++, iterations++) {
    const chosen = Array.from({ length: BATCH }, () => random.integer(1024));
    write(x, Float32Array.from(chosen.flatMap((k) => [training.points[2 * k], training.points[2 * k + 1]])));
    write(
      labels,
      Float32Array.from(chosen, (k) => training.labels[k]),
    );
    step.run();
    schedule.step();
  }
  const loss = tidy(() => noGrad(() => binaryCrossEntropyWithLogits(net.forward(held.x), held.labels)));
  const value = await loss.item();
  loss.dispose();
  if (value < best.loss) best = { loss: value, epoch, weights: await net.stateDict() };
}
net.loadStateDict(best.weights);

const logits = tidy(() => noGrad(() => net.forward(held.x)));
const right = (await logits.read()).filter((logit, i) => logit > 0 === (validation.labels[i] === 1)).length;
console.log(`${right >= 250 ? 'nearly all' : right} of 256 validation points are classified correctly`);
gpu.dispose();
