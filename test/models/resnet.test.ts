import * as assert from 'uvu/assert';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { Classifier } from '../../src/models/classifier.ts';
import type { ModelFactory, ModelSpec } from '../../src/models/model.ts';
import { ResNet, type ResNetOptions, resnet18, resnet34, resnet50 } from '../../src/models/resnet.ts';
import { type SmallCnn, smallCnn } from '../../src/models/smallCnn.ts';
import { loadWeights, withWeights } from '../../src/models/weights.ts';
import type { StateDict } from '../../src/nn/stateDict.ts';
import { Random } from '../../src/random.ts';
import type { Checkpoint } from '../../src/train/checkpoint.ts';
import { train } from '../../src/train/loop.ts';
import { pada } from '../../src/train/methods/pada.ts';
import { sourceOnly } from '../../src/train/methods/sourceOnly.ts';
import { predict } from '../../src/train/predict.ts';
import { assertClose, gpuTest, run } from '../harness.ts';
import { stripes, stripesData } from '../train/stripes.ts';

// Numbers and gradients of ResNets are golden cases (test/golden/resnet.ts). Here: their sizes, weights, and a training run.

const SMALL = { block: 'basic', layers: [1, 1, 1, 1], inChannels: 1 } as const;

const resnet = (gpu: Gpu, options: Partial<ResNetOptions> = {}): ResNet =>
  new ResNet(gpu, { ...SMALL, numClasses: 1000, random: new Random(1), ...options });

/** A classifier on the smallest ResNet. */
const resnet10: ModelFactory<Classifier<ResNet>> = (gpu: Gpu, { numClasses, random }: ModelSpec) => {
  const backbone = new ResNet(gpu, { ...SMALL, numClasses: null, random });
  return new Classifier(gpu, { backbone, backboneFeatures: 512, featuresDim: 32, numClasses, random });
};

const spec = { shape: [1, 16, 16], numClasses: 4, random: new Random(2) };

gpuTest("ResNets have torchvision's numbers of parameters, and TLlib's bottleneck of 256", (gpu) => {
  // torchvision's documentation: 11,689,512, 21,797,672 and 25,557,032 with fc, which has 1000 outputs.
  for (const [make, whole, outFeatures] of [
    [resnet18, 11_689_512, 512],
    [resnet34, 21_797_672, 512],
    [resnet50, 25_557_032, 2048],
  ] as const) {
    const model = make(gpu, { ...spec, shape: [3, 32, 32] });
    const count = [...model.backbone.parameters()].reduce((n, { size }) => n + size, 0);
    assert.is(count + 1000 * outFeatures + 1000, whole);
    assert.is(model.featuresDim, 256);
    model.dispose();
  }
  assert.is(resnet18.geometry.largestBuffer([3, 64, 64], 128), 4 * 128 * 64 * 32 * 32);
  assert.is(resnet50.geometry.largestBuffer([3, 57, 57], 2), 4 * 2 * 256 * 15 * 15);
  assert.is(resnet18.geometry.largestBuffer([200, 8, 8], 1), 4 * 200 * 8 * 8);
  assert.throws(() => resnet18.geometry.check([512]), /ResNet: examples are \[512\]; it needs images/);
});

gpuTest(
  'weights of torchvision load into a classifier; the head is left out, and the backbone learns slowly',
  async (gpu) => {
    const torch = resnet(gpu);
    const state = await torch.stateDict();
    const reports: string[][] = [];
    const make = withWeights(resnet10, state, ({ leftOut, initial }) => reports.push(leftOut, initial));
    const model = make(gpu, spec);
    assert.equal(reports[0], ['fc.weight', 'fc.bias']);
    assert.equal(
      reports[1],
      ['0.weight', '0.bias', '1.weight', '1.bias']
        .map((name) => `bottleneck.${name}`)
        .concat('head.weight', 'head.bias'),
    );
    const loaded = await model.backbone.stateDict();
    for (const [name, tensor] of loaded) assert.equal(tensor, state.get(name), name);
    assert.equal(
      model.getParameters().map(({ lrMultiplier }) => lrMultiplier),
      [0.1, 1, 1],
    );

    // A classifier for other classes: its head is left out, its bottleneck is not.
    const saved = await model.stateDict();
    const other = resnet10(gpu, { ...spec, numClasses: 7 });
    const report = loadWeights(other, saved);
    assert.equal(report.leftOut, ['head.weight', 'head.bias']);
    assert.equal(report.initial, ['head.weight', 'head.bias']);
    assert.ok(report.loaded.includes('bottleneck.0.weight'));
    assert.equal((await other.stateDict()).get('bottleneck.0.weight'), saved.get('bottleneck.0.weight'));
    // One for the same classes: nothing is left out.
    const same = resnet10(gpu, spec);
    assert.equal(loadWeights(same, saved).leftOut, []);
    assert.equal(await same.stateDict(), saved);

    const before = await other.stateDict();
    const refused = (change: (state: StateDict) => void, message: RegExp) => {
      const changed = new Map(state);
      change(changed);
      assert.throws(() => loadWeights(other, changed), message);
    };
    refused(
      (s) => s.delete('layer1.0.conv1.weight'),
      /another network: layer1\.0\.conv1\.weight is missing; choose the model/,
    );
    refused(
      (s) => s.set('layer1.1.bn1.bias', { shape: [64], data: new Float32Array(64) }),
      /another network: layer1\.1\.bn1\.bias is not in the model;/,
    );
    refused(
      (s) => s.set('conv1.weight', { shape: [64, 3, 7, 7], data: new Float32Array(64 * 147) }),
      /conv1\.weight is \[64,3,7,7\], but \[64,1,7,7\] in the model/,
    );
    refused((s) => s.clear(), /conv1\.weight is missing; bn1\.weight is missing; bn1\.bias is missing, and \d+ more/);
    // The harness would find what a refused factory leaves behind.
    assert.throws(() => withWeights(resnet10, new Map())(gpu, spec), /another network/);
    assert.throws(() => loadWeights(torch as never, state), /loadWeights: the model is .*ResNet.*, not a Classifier/);
    assert.throws(() => loadWeights(other, {} as never), /loadWeights: the state must be a Map/);
    assert.equal(await other.stateDict(), before);
    for (const t of [torch, model, other, same]) t.dispose();
  },
);

gpuTest('a ResNet adapts: captured equals eager, it resumes bit for bit, evaluates and predicts', async (gpu) => {
  const test = stripes(24, 5, { classes: 2 });
  const backbone = resnet(gpu, { numClasses: null });
  const weights = await backbone.stateDict();
  backbone.dispose();
  const checkpoints: Checkpoint[] = [];
  const trained = async (more: object) => {
    const { result, trainer } = await train({
      ...{ gpu, ...stripesData(), method: pada({ classWeightUpdateSteps: 2 }), model: withWeights(resnet10, weights) },
      ...{ batchSize: 8, iterations: 3, checkpointEvery: 2, ...more },
      callbacks: { onCheckpoint: (checkpoint) => void checkpoints.push(checkpoint) },
    });
    const { tensors } = await trainer.state();
    // TypeScript knows the model from the factory.
    const backbone: ResNet = trainer.model.backbone;
    assert.is(backbone.outFeatures, 512);
    const { labels } = await predict(gpu, { data: test, model: trainer.model });
    trainer.dispose();
    return { result, tensors, labels };
  };
  const whole = await trained({ targetTest: test });
  assert.is(checkpoints[0]!.iteration, 2);
  const resumed = await trained({ resume: checkpoints[0] });
  assert.equal(resumed.tensors, whole.tensors);
  assert.equal((await trained({ eager: true, resume: checkpoints[0] })).tensors, whole.tensors);
  const right = whole.labels.reduce((n, label, i) => n + Number(label === test.labels![i]), 0);
  assert.is((100 * right) / 24, whole.result.targetAccuracy);
  assert.ok([...whole.tensors].every(([, { data }]) => data.every((v: number | bigint) => Number.isFinite(Number(v)))));
});

gpuTest('train takes the learning rates of the model: a pretrained backbone learns at a tenth', async (gpu) => {
  const moves: Float32Array[] = [];
  for (const pretrained of [false, true]) {
    const model: ModelFactory<SmallCnn> = (gpu, spec) => Object.assign(smallCnn(gpu, spec), { pretrained });
    const { trainer } = await train({
      ...{ gpu, ...stripesData(), method: sourceOnly(), model, batchSize: 8, iterations: 0, weightDecay: 0 },
    });
    const read = () => [...trainer.model.parameters()][0]!.read();
    const before = await read();
    await trainer.step();
    const after = await read();
    moves.push(after.map((w, i) => w - before[i]!));
    trainer.dispose();
  }
  // The first step of SGD is proportional to the learning rate.
  const [whole, tenth] = moves as [Float32Array, Float32Array];
  assert.ok(whole.some((change) => Math.abs(change) > 1e-4));
  assertClose(
    'a tenth',
    tenth,
    whole.map((change) => 0.1 * change),
    { rtol: 1e-3, atol: 1e-8 },
  );
});

run();
