import * as reference from '../reference/index.ts';
import { backward, noGrad } from '../src/autograd.ts';
import { capture } from '../src/capture.ts';
import type { Gpu } from '../src/gpu/gpu.ts';
import { PlainCnn } from '../src/models/plainCnn.ts';
import { crossEntropy } from '../src/ops/crossEntropy.ts';
import { Sgd } from '../src/optim/sgd.ts';
import { Random } from '../src/random.ts';
import { tensor } from '../src/tensor.ts';
import type { Bench } from './harness/case.ts';
import * as cnn from './harness/plainCnn.ts';
import { type PreparedStep, stepCase } from './harness/stepCase.ts';
import { gradientMismatch, mismatch, toleranceOn } from './harness/verify.ts';

const { BATCH, CLASSES, LEARNING_RATE, MOMENTUM } = cnn;

/** The network that frameworks are compared by: its forward pass, and a training step with momentum. */
export const plainCnn: Bench = () => [
  stepCase({
    bench: 'cnn-forward',
    shape: `${BATCH}x1x28x28`,
    kernel: 'captured step',
    flops: cnn.FORWARD_FLOPS,
    prepare: (gpu) => forward(gpu),
  }),
  stepCase({
    bench: 'cnn-step',
    shape: `${BATCH}x1x28x28`,
    kernel: 'captured step',
    flops: cnn.STEP_FLOPS,
    prepare: (gpu) => step(gpu),
  }),
];

async function model(gpu: Gpu, inputs: cnn.Inputs) {
  const network = new PlainCnn(gpu, { numClasses: CLASSES, random: new Random(0) });
  network.loadStateDict(new Map(Object.entries(inputs.weights)));
  const x = tensor(gpu, inputs.x.data, inputs.x.shape, 'images');
  return { network, x };
}

/** The forward pass, captured. */
export async function forward(
  gpu: Gpu,
  inputs = cnn.plainCnnInputs(),
): Promise<PreparedStep & { logits(): Promise<Float32Array> }> {
  const { network, x } = await model(gpu, inputs);
  const captured = await capture(gpu, () => noGrad(() => network.forward(x)));
  return {
    step: () => captured.run(),
    logits: () => captured.result.read(),
    verify: async () => {
      const { y } = reference.plainCnn(reference.passOf(inputs.weights), inputs.x);
      return mismatch(await captured.result.read(), y.data, toleranceOn(gpu, 1e-5));
    },
    dispose: () => {
      for (const thing of [captured, captured.result, x, network]) thing.dispose();
    },
  };
}

/** Forward, backward and update, captured as one. */
export async function step(
  gpu: Gpu,
  inputs = cnn.plainCnnInputs(),
): Promise<PreparedStep & { loss(): Promise<number>; network: PlainCnn }> {
  const { network, x } = await model(gpu, inputs);
  const labels = tensor(gpu, inputs.labels.data, inputs.labels.shape, 'labels');
  const optimizer = new Sgd(network.parameters(), { lr: LEARNING_RATE, momentum: MOMENTUM });
  const captured = await capture(gpu, () => {
    optimizer.zeroGrad();
    const loss = crossEntropy(network.forward(x), labels);
    backward(loss);
    optimizer.step();
    return loss;
  });
  return {
    step: () => captured.run(),
    network,
    loss: () => captured.result.item(),
    verify: async () => {
      const { loss, gradients } = reference.plainCnnGradients(inputs.weights, inputs.x, inputs.labels);
      const wrong = mismatch([await captured.result.item()], [loss], toleranceOn(gpu, 1e-5));
      if (wrong) return `loss: ${wrong}`;
      for (const [name, parameter] of network.namedParameters()) {
        const before = inputs.weights[name]!.data;
        const gradient = gradients[name]!.data;
        const inGradient = gradientMismatch(gpu, await parameter.grad!.read(), gradient, 1e-4);
        if (inGradient) return `gradient of ${name}: ${inGradient}`;
        const after = gradient.map((g, i) => before[i]! - LEARNING_RATE * g);
        const inParameter = mismatch(await parameter.read(), after, toleranceOn(gpu, 1e-5));
        if (inParameter) return `${name}: ${inParameter}`;
      }
      return null;
    },
    dispose: () => {
      for (const thing of [captured, captured.result, optimizer, x, labels, network]) thing.dispose();
    },
  };
}
