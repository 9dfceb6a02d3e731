// PADA with a loop of its own: the batches, both losses and the update are captured, the class weights follow the classifier.
import {
  AutomaticUpdateClassWeightModule,
  add,
  backward,
  capture,
  concat,
  createGpu,
  crossEntropy,
  DomainAdversarialLoss,
  DomainDiscriminator,
  ImageDataset,
  InverseDecay,
  Random,
  Sampler,
  Sgd,
  SmallCnn,
  slice,
} from 'padagrad';

const SIZE = 16; // images of a domain in a batch

const gpu = await createGpu({ software: 'allow' });
const random = new Random(0);
const noise = (count, classes) => ({
  images: Uint8Array.from({ length: 784 * count }, () => random.integer(256)),
  labels: Uint8Array.from({ length: count }, (_, i) => i % classes),
  count,
  height: 28,
  width: 28,
});
const source = new ImageDataset(gpu, noise(64, 10), SIZE);
const target = new ImageDataset(gpu, noise(48, 5), SIZE, { labelled: false });
const samplers = [source, target].map((data) => new Sampler(data, SIZE, random));
const classifier = new SmallCnn(gpu, { numClasses: 10, random });
const discriminator = new DomainDiscriminator(gpu, { inFeature: classifier.featuresDim, hiddenSize: 128, random });
const adversarial = new DomainAdversarialLoss(discriminator);
const weights = new AutomaticUpdateClassWeightModule(gpu, {
  updateSteps: 2,
  dataLoader: target,
  classifier,
  numClasses: 10,
});
const optimizer = new Sgd([...classifier.parameters(), ...discriminator.parameters()], {
  lr: 0.01,
  momentum: 0.9,
  nesterov: true,
  weightDecay: 1e-3,
});
const schedule = new InverseDecay(optimizer, { lr: 0.01, gamma: 0.001, decay: 0.75 });

const losses = await capture(gpu, () => {
  optimizer.zeroGrad();
  const [{ x: xs, labels }, { x: xt }] = samplers.map((sampler) => sampler.batch());
  const { logits, features } = classifier.forward(concat([xs, xt])); // [2 SIZE, 10], [2 SIZE, 128]
  const classification = crossEntropy(slice(logits, 0, SIZE), labels, {
    weight: weights.getClassWeightForCrossEntropyLoss(),
  });
  const transfer = adversarial.forwardBatch(features, SIZE, weights.getClassWeightForAdversarialLoss(labels));
  backward(add(classification, transfer));
});
const update = await capture(gpu, () => optimizer.step());

for (let i = 0; i < 4; i++) {
  for (const sampler of samplers) sampler.advance();
  losses.run();
  await weights.step();
  update.run();
  schedule.step();
}
console.log(Math.max(...(await weights.classWeight.read())));
gpu.dispose();
