import * as assert from 'uvu/assert';
import {
  AutomaticUpdateClassWeightModule,
  ClassWeightModule,
  collectClassificationResults,
  DomainAdversarialLoss,
  DomainDiscriminator,
  WarmStartGradientReverseLayer,
} from '../../src/adaptation/index.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { Mlp } from '../../src/models/mlp.ts';
import { ResNet } from '../../src/models/resnet.ts';
import { SmallCnn } from '../../src/models/smallCnn.ts';
import {
  AvgPool2d,
  BatchNorm1d,
  BatchNorm2d,
  Conv2d,
  Dropout,
  Flatten,
  GELU,
  LeakyReLU,
  Linear,
  MaxPool2d,
  ModuleList,
  Parameter,
  type RectifyingModule,
  ReLU,
  Sigmoid,
  Tanh,
} from '../../src/nn/index.ts';
import { relu } from '../../src/ops/relu.ts';
import { Random } from '../../src/random.ts';
import { tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { gpuTest, run } from '../harness.ts';

type Call = (...args: never[]) => unknown;
type Case = readonly [args: readonly unknown[], message: RegExp];

/**
 * Calls a class or a function as JavaScript programs, or programs ported from PyTorch, would. Each call must throw an error that
 * starts with the name and a colon; the pattern is for the rest.
 */
function refuses(of: (new (...args: never[]) => unknown) | Call, cases: readonly Case[], who = of.name): void {
  const start = `${who.replace(/^_/, '')}: `;
  for (const [args, message] of cases) {
    const call = /^class/.test(String(of))
      ? () => Reflect.construct(of, args)
      : () => (of as Call)(...(args as never[]));
    assert.throws(
      () => tidy(() => void call()),
      (error: Error) => {
        if (error.message.startsWith(start) && message.test(error.message.slice(start.length))) return true;
        throw error;
      },
      String(message),
    );
  }
}

const random = new Random(1);
const dense = { inFeatures: 2, outFeatures: 3, random };
const convolution = { inChannels: 1, outChannels: 2, kernelSize: 3, random };

gpuTest('layers refuse unknown, missing and misplaced options, by their names', (gpu) => {
  refuses(Linear, [
    [[gpu, 2, 3], /^expected an options object but got 2; pass an object, such as \{ inFeatures: 2 \}$/],
    [[gpu], /^expected an options object \{ inFeatures, outFeatures, random \} but got undefined/],
    [[dense], /^gpu is Object; await createGpu\(\) and pass it first$/],
    [[undefined, dense], /^gpu is undefined/],
    [[gpu, { ...dense, in_features: 2 }], /^unknown option in_features; did you mean inFeatures\?$/],
    [[gpu, { inFeatures: 2, random }], /^outFeatures is missing from the options$/],
    [[gpu, { inFeatures: 2, outFeatures: 3 }], /^random is missing from the options$/],
    [[gpu, { ...dense, random: 42 }], /^random must be a Random, such as new Random\(seed\), but is 42$/],
    [[gpu, { ...dense, random: Math.random }], /^random must be a Random.* but is a function random$/],
    [[gpu, { ...dense, inFeatures: 0 }], /^inFeatures must be a whole number >= 1 but is 0$/],
    [[gpu, { ...dense, inFeatures: '2' }], /^inFeatures must be a whole number >= 1 but is '2' \(a string\)$/],
    [[gpu, { ...dense, bias: 0 }], /^bias must be true or false but is 0$/],
    [[gpu, { ...dense, dtype: 'f32' }], /^unknown option dtype; its options are inFeatures, outFeatures/],
  ]);
  refuses(Conv2d, [
    [[gpu, { ...convolution, groups: 4 }], /^unknown option groups; its options are inChannels/],
    [[gpu, { ...convolution, kernelSize: [3, 3] }], /^kernelSize must be a whole number >= 1 but is .*array/],
    [[gpu, { ...convolution, kernelSize: 1.5 }], /^kernelSize must be a whole number >= 1 but is 1.5$/],
    [[gpu, { ...convolution, padding: 'same' }], /^padding must be a whole number >= 0 but is 'same'/],
    [[gpu, { ...convolution, stride: 0 }], /^stride must be a whole number >= 1 but is 0$/],
    [[gpu, { ...convolution, dilation: -1 }], /^dilation must be a whole number >= 1 but is -1$/],
    [[gpu, { ...convolution, out_channels: 2 }], /^unknown option out_channels; did you mean outChannels\?$/],
    [[gpu, { ...convolution, paddingMode: 'zeros' }], /^unknown option paddingMode/],
    [[gpu, 1, 2, 3], /^expected an options object but got 1/],
    [[gpu, { random }], /^inChannels and outChannels and kernelSize are missing from the options$/],
  ]);
  for (const Norm of [BatchNorm1d, BatchNorm2d])
    refuses(Norm, [
      [[gpu, 8], /^expected an options object but got 8; .* \{ numFeatures: 8 \}$/],
      [[gpu, { numFeatures: -1 }], /^numFeatures must be a whole number >= 1 but is -1$/],
      [[gpu, { numFeatures: 2, momentum: 2 }], /momentum must be a number from 0 to 1, or null but is 2$/],
      [[gpu, { numFeatures: 2, epsilon: 1e-5 }], /unknown option epsilon; did you mean eps\?$/],
      [[gpu, { numFeatures: 2, eps: -1 }], /eps must be a number >= 0 but is -1$/],
      [[gpu, { num_features: 2 }], /unknown option num_features; did you mean numFeatures\?$/],
      [[gpu, { numFeatures: 2, affine: false }], /unknown option affine/],
      [[{ numFeatures: 2 }], /^gpu is Object/],
    ]);
  refuses(Dropout, [
    [[0.3], /^expected an options object but got 0.3; pass an object, such as \{ p: 0.3 \}$/],
    [[gpu, { p: 0.3 }], /^unknown option/],
    [[{ rate: 0.3 }], /^unknown option rate; did you mean p\?$/],
    [[{ p: 1.5 }], /^p must be a number from 0 to 1 but is 1.5$/],
    [[{ p: '0.3' }], /^p must be a number from 0 to 1 but is '0.3' \(a string\)$/],
    [[{ inplace: true }], /^unknown option inplace/],
    [[{ seed: 2 ** 32 }], /^seed must be a whole number from 0 to 4294967295 but is 4294967296$/],
    [[{ seed: -1 }], /^seed must be/],
    [[{ seed: random }], /^seed must be .* but is a Random$/],
  ]);
  for (const Pool of [MaxPool2d, AvgPool2d])
    refuses(Pool, [
      [[2], /^expected an options object but got 2; pass an object, such as \{ kernelSize: 2 \}$/],
      [[], /^expected an options object \{ kernelSize \} but got undefined/],
      [[{ kernel_size: 2 }], /^unknown option kernel_size; did you mean kernelSize\?$/],
      [[{ kernelSize: [2, 2] }], /^kernelSize must be a whole number >= 1 but is/],
      [[{ kernelSize: 2, dilation: 2 }], /^unknown option dilation/],
      [[{ kernelSize: 2, relu: true }], /^unknown option relu/],
      [[{ stride: 2 }], /^kernelSize is missing from the options$/],
      [[gpu, { kernelSize: 2 }], /^unknown option/],
    ]);
  refuses(Parameter, [
    [[gpu, [1, 2], [2]], /^data must be a Float32Array but is/],
    [[gpu, tensorOf(gpu), [2]], /^data must be a Float32Array but is a Tensor$/],
    [[Float32Array.of(1), [1]], /^gpu is Float32Array/],
    [[gpu, Float32Array.of(1)], /^shape/],
    [[gpu, Float32Array.of(1), [1], { label: 'w' }], /^label must be a string but is an Object$/],
  ]);
  held?.dispose();
});

let held: ReturnType<typeof tensor> | undefined;
function tensorOf(gpu: Gpu) {
  held = tensor(gpu, [1, 2]);
  return held;
}

gpuTest('models and the pieces of adaptation refuse them too', async (gpu) => {
  const net = new Linear(gpu, dense);
  refuses(SmallCnn, [
    [[gpu, { num_classes: 4, random }], /^unknown option num_classes; did you mean numClasses\?$/],
    [[gpu, 10], /^expected an options object but got 10/],
    [[{ numClasses: 4, random }], /^gpu is Object/],
    [[gpu, { numClasses: 4 }], /^random is missing from the options$/],
    [[gpu, { numClasses: 4, random, convolutions: 2 }], /^convolutions must be an array of convolutions but is 2$/],
    [[gpu, { numClasses: 4, random, convolutions: [[16, 5]] }], /^convolutions\[0\]: expected an options object/],
    [
      [gpu, { numClasses: 4, random, convolutions: [{ outChannels: 2, kernelSize: 3, stride: 2 }] }],
      /^convolutions\[0\]: unknown option stride/,
    ],
    [
      [gpu, { numClasses: 4, random, shape: 28 }],
      /^shape must be the shape of one example, such as \[3, 64, 64\] but is 28/,
    ],
    [[gpu, { numClasses: 4, random, shape: [1, 3, 9] }], /^images are 3x9; it needs at least 4x4$/],
    [[gpu, { numClasses: 4, random, shape: [64] }], /^examples are \[64\]; it needs images, .*; use mlp for vectors$/],
    [
      [gpu, { numClasses: 4, random, shape: [1, 8, 8], convolutions: [{ outChannels: 2, kernelSize: 8 }] }],
      /^images are 8x8; it needs at least 9x9$/,
    ],
  ]);
  refuses(Mlp, [
    [[gpu, { numClasses: 4, random }], /^shape is missing from the options$/],
    [
      [gpu, { numClasses: 4, random, shape: [1, 8, 8] }],
      /^examples are \[1,8,8\]; it needs vectors, \[features\]; for images use/,
    ],
    [
      [gpu, { numClasses: 4, random, shape: [8], hidden: 64 }],
      /^hidden must be an array of whole numbers >= 1 but is 64$/,
    ],
  ]);
  const resnet = { block: 'basic', layers: [1, 1, 1, 1], numClasses: 2, random };
  refuses(ResNet, [
    [[gpu, { ...resnet, block: 'BasicBlock' }], /^block must be one of 'basic', 'bottleneck' but is/],
    [[gpu, { ...resnet, layers: [2, 2, 2] }], /^layers must be four whole numbers >= 1, such as \[2, 2, 2, 2\] but is/],
    [[gpu, { ...resnet, num_classes: 3 }], /^unknown option num_classes; did you mean numClasses\?$/],
  ]);
  const model = new SmallCnn(gpu, { numClasses: 4, random });
  refuses(
    (...args) => model.getParameters(...args),
    [
      [[0.1], /^expected an options object but got 0.1; pass an object, such as \{ baseLr: 0.1 \}$/],
      [[{ base_lr: 0.1 }], /^unknown option base_lr; did you mean baseLr\?$/],
      [[{ finetune: 0 }], /^finetune must be true or false but is 0$/],
    ],
    'getParameters',
  );
  const sizes = { inFeature: 2, hiddenSize: 3, random };
  refuses(DomainDiscriminator, [
    [[gpu, 2, 3], /^expected an options object but got 2/],
    [[gpu, { ...sizes, hidden_size: 3 }], /^unknown option hidden_size; did you mean hiddenSize\?$/],
    [[gpu, { ...sizes, inFeatures: 2 }], /^unknown option inFeatures; did you mean inFeature\?$/],
    [[gpu, { ...sizes, batchNorm: 'no' }], /^batchNorm must be true or false but is 'no'/],
    [[gpu, { hiddenSize: 3, random }], /^inFeature is missing from the options$/],
    [[sizes], /^gpu is Object/],
  ]);
  refuses(DomainAdversarialLoss, [
    [[{ domainDiscriminator: net }], /^domainDiscriminator must be a Module but is an Object; pass it first$/],
    [[net, { reduction: 'avg' }], /^reduction must be one of 'mean', 'sum', 'none' but is 'avg'/],
    [[net, 'mean'], /^expected an options object but got 'mean'/],
    [[net, { grl: null }], /^unknown option grl; its options are reduction, gradientReversal/],
    [[net, { gradientReversal: {} }], /gradientReversal must be a WarmStartGradientReverseLayer but is an Object$/],
  ]);
  refuses(WarmStartGradientReverseLayer, [
    [[1], /^expected an options object but got 1/],
    [[{ max_iters: 100 }], /^unknown option max_iters; did you mean maxIters\?$/],
    [[{ alpha: '1' }], /alpha must be a finite number but is '1' \(a string\)$/],
    [[{ hi: Number.NaN }], /hi must be a finite number but is NaN$/],
    [[{ maxIters: 0 }], /maxIters must be a number > 0 but is 0$/],
    [[{ autoStep: 1 }], /autoStep must be true or false but is 1$/],
  ]);
  refuses(ClassWeightModule, [
    [[0.1], /^expected an options object but got 0.1; pass an object, such as \{ temperature: 0.1 \}$/],
    [[{ T: 0.1 }], /^unknown option T/],
    [[{ temperature: 0 }], /^temperature must be a number .* but is 0$/],
    [[{ temperature: '1' }], /temperature must be a number .* but is '1' \(a string\)$/],
  ]);
  function* generator() {}
  const all = { updateSteps: 1, dataLoader: [], classifier: net, numClasses: 3 };
  refuses(AutomaticUpdateClassWeightModule, [
    [[all], /^gpu is Object/],
    [[gpu, { ...all, update_steps: 1 }], /unknown option update_steps; did you mean updateSteps\?$/],
    [[gpu, { ...all, device: 'cuda' }], /unknown option device/],
    [[gpu, { updateSteps: 1, dataLoader: [], numClasses: 3 }], /^classifier is missing/],
    [
      [gpu, { ...all, classifier: Promise.resolve(net) }],
      /classifier must be a function or an object with forward but is a Promise$/,
    ],
    [
      [gpu, { ...all, dataLoader: generator }],
      /dataLoader must be an array of batches, a data set, or an object such as \{ \[Symbol.asyncIterator\]: generatorFunction \} but is a function generator$/,
    ],
    [[gpu, { ...all, dataLoader: net }], /dataLoader must be an array of batches.* but is a Linear$/],
    [[gpu, { ...all, partialClassesIndex: 2 }], /partialClassesIndex must be an array of class numbers but is 2$/],
    [[gpu, { ...all, partialClassesIndex: [1, 3] }], /partialClassesIndex has 3, but classes are 0 to 2$/],
    [[gpu, { ...all, updateSteps: 0.5 }], /updateSteps must be a whole number >= 1 but is 0.5$/],
    [[gpu, { ...all, eager: 1 }], /eager must be true or false but is 1$/],
  ]);
  for (const [args, message] of [
    [[net, []], /^collectClassificationResults: dataLoader must be an array of batches/],
    [[[], null], /^collectClassificationResults: classifier must be a function or an object with forward but is null$/],
  ] as const)
    await collectClassificationResults(...(args as unknown as [never, never])).then(
      () => assert.unreachable(),
      (error: Error) => assert.match(error.message, message),
    );
  const loss = new DomainAdversarialLoss(net);
  const [x, w] = [tensor(gpu, [[1, 2]]), tensor(gpu, [1])];
  // TLlib's forward takes the weights of both domains one after the other.
  refuses(
    (...args) => loss.forward(...(args as unknown as [never, never])),
    [
      [[x, x, w, w], /^weights: expected an options object \{ source, target \} but got a Tensor/],
      [[x, x, { source: w }], /^weights: target is missing/],
    ],
    'DomainAdversarialLoss',
  );
  for (const part of [net, model, x, w, loss]) part.dispose();
});

gpuTest('layers without options take none, and forward takes only relu', (gpu) => {
  refuses(ReLU, [
    [[true], /^it takes no options but got true \(a boolean\)$/],
    [[{ inplace: true }], /^it takes no options but got an Object$/],
  ]);
  refuses(Sigmoid, [[[gpu], /^it takes no options but got a Gpu$/]]);
  refuses(Tanh, [[[0.1], /^it takes no options but got 0.1$/]]);
  refuses(LeakyReLU, [
    [[0.2], /^expected an options object but got 0.2; pass an object, such as \{ negativeSlope: 0.2 \}$/],
    [[{ negative_slope: 0.2 }], /^unknown option negative_slope; did you mean negativeSlope\?$/],
  ]);
  refuses(GELU, [[[{ approximate: true }], /^approximate must be one of 'none', 'tanh' but is true/]]);
  refuses(Flatten, [[[0], /^it takes no options but got 0$/]]);
  refuses(ModuleList, [[[[new ReLU(), relu]], /^module 1 must be a Module but is a function relu$/]]);
  const [x, images] = [tensor(gpu, [[1, 2]]), tensor(gpu, [1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 1, 3, 3])];
  const layers: [RectifyingModule, typeof x][] = [
    [new Linear(gpu, dense), x],
    [new Conv2d(gpu, convolution), images],
    [new MaxPool2d({ kernelSize: 2 }), images],
    [new BatchNorm1d(gpu, { numFeatures: 2 }).eval(), x],
  ];
  for (const [layer, input] of layers) {
    tidy(() => void layer.forward(input, { relu: true }));
    refuses(
      (...args) => layer.forward(input, ...args),
      [
        [[{ ReLU: true }], /^unknown option ReLU; did you mean relu\?$/],
        [[true], /^expected an options object but got true/],
      ],
      `${layer.constructor.name}.forward`,
    );
    layer.dispose();
  }
  for (const held of [x, images]) held.dispose();
});

gpuTest('train and eval take true or false', () => {
  const layer = new ReLU();
  assert.throws(
    () => layer.train('eval' as never),
    /^ReLU: training must be true or false but is 'eval' \(a string\)$/,
  );
  assert.throws(() => {
    layer.training = 0 as never;
  }, /^ReLU: training must be true or false but is 0$/);
  assert.ok(layer.training);
});

run();
