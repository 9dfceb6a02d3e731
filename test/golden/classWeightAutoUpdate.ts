import { AutomaticUpdateClassWeightModule } from '../../src/adaptation/automaticUpdate.ts';
import { linear } from '../../src/ops/linear.ts';
import { tensor, write } from '../../src/tensor.ts';
import { type GoldenRunner, type GoldenTensor, load } from './format.ts';

/** Class weights that follow a linear classifier which drifts: W + t dW before step t. */
export const classWeightAutoUpdate: GoldenRunner = async (gpu, { params, inputs }) => {
  const { update_steps: updateSteps, num_classes: numClasses, temperature, steps } = params;
  const weight = load(gpu, inputs.W, 'W');
  const bias = load(gpu, inputs.b, 'b');
  const batches = (inputs.batches as GoldenTensor[]).map((batch) => load(gpu, batch, 'batch'));
  const weights = new AutomaticUpdateClassWeightModule(gpu, {
    updateSteps,
    numClasses,
    temperature,
    dataLoader: batches,
    classifier: (x) => linear(x, weight, bias),
  });
  const seen = [...(await weights.classWeight.read())];
  for (let t = 1; t <= steps; t++) {
    write(
      weight,
      Float32Array.from(inputs.W.data, (w: number, i: number) => w + t * inputs.dW.data[i]),
    );
    await weights.step();
    seen.push(...(await weights.classWeight.read()));
  }
  for (const x of [weights, weight, bias, ...batches]) x.dispose();
  return { outputs: { class_weight: tensor(gpu, Float32Array.from(seen), [steps + 1, numClasses]) } };
};
