import * as assert from 'uvu/assert';
import { ImportanceWeightModule } from '../../src/adaptation/importanceWeight.ts';
import {
  AdaptiveFeatureNorm,
  alphaPowerLoss,
  complementEntropyLoss,
  MinimumClassConfusionLoss,
} from '../../src/adaptation/losses.ts';
import { balancePseudoLabels } from '../../src/adaptation/pseudoLabels.ts';
import { backward, zeroGrad } from '../../src/autograd.ts';
import { Linear, Sequential, Sigmoid } from '../../src/nn/index.ts';
import { Random } from '../../src/random.ts';
import { type Tensor, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, gpuTest, run } from '../harness.ts';

// Figures of these losses come from golden files; here are their limits.

gpuTest('losses stay finite with extreme logits and features, and pass NaN on', async (gpu) => {
  const outcome = async (loss: (x: Tensor) => Tensor, rows: number[][]) => {
    const x = tensor(gpu, rows);
    x.requiresGrad = true;
    const y = tidy(() => {
      const made = loss(x);
      backward(made);
      return made;
    });
    const read = [await y.item(), ...(await x.grad!.read())];
    zeroGrad([x]);
    for (const held of [y, x]) held.dispose();
    return read;
  };
  const labels = tensor(gpu, Uint32Array.of(0, 1));
  const nothing = tensor(gpu, [0, 0, 0]);
  const losses: [string, (x: Tensor) => Tensor, number][] = [
    ['mcc', (x) => new MinimumClassConfusionLoss({ temperature: 1 }).forward(x), 1 / 3],
    ['afn', (x) => new AdaptiveFeatureNorm({ delta: 1 }).forward(x), 1],
    ['alpha power', (x) => alphaPowerLoss(x, 6), -1],
    ['complement entropy', (x) => complementEntropyLoss(x, labels, nothing), 0],
  ];
  for (const [name, loss, value] of losses) {
    // The third class is never predicted, which TLlib's confusion matrix makes 0 / 0.
    const [y, ...gradient] = await outcome(loss, [
      [1e4, -1e4, -1e4],
      [-1e4, 1e4, -1e4],
    ]);
    assert.ok(Math.abs(y! - value) < 1e-6, `${name}: ${y}`);
    assert.ok(gradient.every(Number.isFinite), `${name}: ${gradient}`);
    const [undefinedOne] = await outcome(loss, [
      [Number.NaN, 0, 0],
      [0, 1, 0],
    ]);
    assert.ok(Number.isNaN(undefinedOne), `${name} of NaN: ${undefinedOne}`);
  }
  for (const held of [labels, nothing]) held.dispose();
});

gpuTest('losses refuse options that they cannot use', async (gpu) => {
  const refuses = (call: () => unknown, message: RegExp) => assert.throws(call, message);
  refuses(() => new MinimumClassConfusionLoss({} as never), /temperature is missing/);
  refuses(() => new MinimumClassConfusionLoss({ temperature: 0 }), /temperature must be a number from 1e-30/);
  refuses(() => new AdaptiveFeatureNorm({ delta: Number.NaN }), /delta must be a finite number/);
  const logits = tensor(gpu, [[1, 2]]);
  refuses(() => alphaPowerLoss(logits, 0), /alpha must be a number > 0/);
  refuses(() => new ImportanceWeightModule({} as never), /discriminator must be a Module/);
  const linear = new Linear(gpu, { inFeatures: 2, outFeatures: 1, random: new Random(1) });
  const module = new ImportanceWeightModule(new Sequential(linear, new Sigmoid()));
  assert.throws(() => module.getPartialClassesWeight(logits, logits), /pass partialClassesIndex/);
  for (const held of [linear, logits]) held.dispose();
});

gpuTest('balanced pseudo-labels: the kept labels of a class share its weight', async (gpu) => {
  const classWeight = [1, 0.25, 1, 0];
  const balanced = async (labels: number[], mask: number[]): Promise<number[]> => {
    const held = [tensor(gpu, Uint32Array.from(labels)), tensor(gpu, mask), tensor(gpu, classWeight)] as const;
    const weight = balancePseudoLabels({ labels: held[0], mask: held[1] }, held[2]);
    const read = [...(await weight.read())];
    for (const tensor of [...held, weight]) tensor.dispose();
    return read;
  };
  for (const n of [1, 64, 150]) {
    const labels = Array.from({ length: n }, (_, i) => (i % 7 === 0 ? 1 : i % 3 === 0 ? 2 : 0));
    const mask = labels.map((_, i) => Number(i % 5 !== 1));
    const counts = classWeight.map((_, c) => labels.filter((label, i) => label === c && mask[i]).length);
    const kept = counts.reduce((a, b) => a + b, 0);
    const shared = counts.reduce((sum, count, c) => sum + (count > 0 ? classWeight[c]! : 0), 0);
    const expected = labels.map((c, i) => (mask[i] ? ((classWeight[c]! / counts[c]!) * kept) / shared : 0));
    assertClose(`${n} labels`, await balanced(labels, mask), expected, { rtol: 1e-6 });
  }
  assert.equal(await balanced([0, 2, 2], [0, 0, 0]), [0, 0, 0]);
  assert.equal(await balanced([0, 2, 2], [1, Number.NaN, 0]), [Number.NaN, Number.NaN, 0]);
});

run();
