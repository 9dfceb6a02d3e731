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
import { SmallCnn } from '../../src/models/smallCnn.ts';
import {
  AvgPool2d,
  BatchNorm1d,
  BatchNorm2d,
  Conv2d,
  Dropout,
  Flatten,
  Linear,
  MaxPool2d,
  ModuleList,
  Parameter,
  type RectifyingModule,
  ReLU,
  Sigmoid,
} from '../../src/nn/index.ts';
import { relu } from '../../src/ops/relu.ts';
import { Random } from '../../src/random.ts';
import { tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { gpuTest, run } from '../harness.ts';

// Arguments as JavaScript programs, or programs ported from PyTorch, would pass them.
type Make = (...args: never[]) => unknown;
const made =
  <Class extends new (...args: never[]) => unknown>(of: Class): Make =>
  (...args) =>
    new of(...args);

/** Each call must throw an error that matches. */
function refuses(make: Make, cases: readonly (readonly [args: readonly unknown[], message: RegExp])[]): void {
  for (const [args, message] of cases) {
    assert.throws(
      () => tidy(() => void make(...(args as never[]))),
      (error: Error) => {
        if (message.test(error.message)) return true;
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
  refuses(made(Linear), [
    [[gpu, 2, 3], /^Linear: expected an options object but got 2; pass an object, such as \{ inFeatures: 2 \}$/],
    [[gpu], /^Linear: expected an options object \{ inFeatures, outFeatures, random \} but got undefined/],
    [[dense], /^Linear: gpu is Object; await createGpu\(\) and pass it first$/],
    [[undefined, dense], /^Linear: gpu is undefined/],
    [[gpu, { ...dense, in_features: 2 }], /^Linear: unknown option in_features; did you mean inFeatures\?$/],
    [[gpu, { inFeatures: 2, random }], /^Linear: outFeatures is missing from the options$/],
    [[gpu, { inFeatures: 2, outFeatures: 3 }], /^Linear: random is missing from the options$/],
    [[gpu, { ...dense, random: 42 }], /^Linear: random must be a Random, such as new Random\(seed\), but is 42$/],
    [[gpu, { ...dense, random: Math.random }], /^Linear: random must be a Random.* but is a function random$/],
    [[gpu, { ...dense, inFeatures: 0 }], /^Linear: inFeatures must be a whole number >= 1 but is 0$/],
    [[gpu, { ...dense, inFeatures: '2' }], /^Linear: inFeatures must be a whole number >= 1 but is '2' \(a string\)$/],
    [[gpu, { ...dense, bias: 0 }], /^Linear: bias must be true or false but is 0$/],
    [[gpu, { ...dense, dtype: 'f32' }], /^Linear: unknown option dtype; its options are inFeatures, outFeatures/],
  ]);
  refuses(made(Conv2d), [
    [[gpu, { ...convolution, groups: 4 }], /^Conv2d: unknown option groups; its options are inChannels/],
    [[gpu, { ...convolution, kernelSize: [3, 3] }], /^Conv2d: kernelSize must be a whole number >= 1 but is .*array/],
    [[gpu, { ...convolution, kernelSize: 1.5 }], /^Conv2d: kernelSize must be a whole number >= 1 but is 1.5$/],
    [[gpu, { ...convolution, padding: 'same' }], /^Conv2d: padding must be a whole number >= 0 but is 'same'/],
    [[gpu, { ...convolution, stride: 0 }], /^Conv2d: stride must be a whole number >= 1 but is 0$/],
    [[gpu, { ...convolution, dilation: -1 }], /^Conv2d: dilation must be a whole number >= 1 but is -1$/],
    [[gpu, { ...convolution, out_channels: 2 }], /^Conv2d: unknown option out_channels; did you mean outChannels\?$/],
    [[gpu, { ...convolution, paddingMode: 'zeros' }], /^Conv2d: unknown option paddingMode/],
    [[gpu, 1, 2, 3], /^Conv2d: expected an options object but got 1/],
    [[gpu, { random }], /^Conv2d: inChannels and outChannels and kernelSize are missing from the options$/],
  ]);
  for (const Norm of [BatchNorm1d, BatchNorm2d])
    refuses(made(Norm), [
      [[gpu, 8], new RegExp(`^${Norm.name}: expected an options object but got 8; .* \\{ numFeatures: 8 \\}$`)],
      [[gpu, { numFeatures: -1 }], new RegExp(`^${Norm.name}: numFeatures must be a whole number >= 1 but is -1$`)],
      [[gpu, { numFeatures: 2, momentum: 2 }], /momentum must be a number from 0 to 1, or null but is 2$/],
      [[gpu, { numFeatures: 2, epsilon: 1e-5 }], /unknown option epsilon; did you mean eps\?$/],
      [[gpu, { numFeatures: 2, eps: -1 }], /eps must be a number >= 0 but is -1$/],
      [[gpu, { num_features: 2 }], /unknown option num_features; did you mean numFeatures\?$/],
      [[gpu, { numFeatures: 2, affine: false }], /unknown option affine/],
      [[{ numFeatures: 2 }], new RegExp(`^${Norm.name}: gpu is Object`)],
    ]);
  refuses(made(Dropout), [
    [[0.3], /^Dropout: expected an options object but got 0.3; pass an object, such as \{ p: 0.3 \}$/],
    [[gpu, { p: 0.3 }], /^Dropout: unknown option/],
    [[{ rate: 0.3 }], /^Dropout: unknown option rate; did you mean p\?$/],
    [[{ p: 1.5 }], /^Dropout: p must be a number from 0 to 1 but is 1.5$/],
    [[{ p: '0.3' }], /^Dropout: p must be a number from 0 to 1 but is '0.3' \(a string\)$/],
    [[{ inplace: true }], /^Dropout: unknown option inplace/],
    [[{ seed: 2 ** 32 }], /^Dropout: seed must be a whole number from 0 to 4294967295 but is 4294967296$/],
    [[{ seed: -1 }], /^Dropout: seed must be/],
    [[{ seed: random }], /^Dropout: seed must be .* but is a Random$/],
  ]);
  for (const [name, Pool] of Object.entries({ MaxPool2d, AvgPool2d }))
    refuses(made(Pool), [
      [
        [2],
        new RegExp(`^${name}: expected an options object but got 2; pass an object, such as \\{ kernelSize: 2 \\}$`),
      ],
      [[], new RegExp(`^${name}: expected an options object \\{ kernelSize \\} but got undefined`)],
      [[{ kernel_size: 2 }], new RegExp(`^${name}: unknown option kernel_size; did you mean kernelSize\\?$`)],
      [[{ kernelSize: [2, 2] }], new RegExp(`^${name}: kernelSize must be a whole number >= 1 but is`)],
      [[{ kernelSize: 2, dilation: 2 }], new RegExp(`^${name}: unknown option dilation`)],
      [[{ kernelSize: 2, relu: true }], new RegExp(`^${name}: unknown option relu`)],
      [[{ stride: 2 }], new RegExp(`^${name}: kernelSize is missing from the options$`)],
      [[gpu, { kernelSize: 2 }], new RegExp(`^${name}: unknown option`)],
    ]);
  refuses(made(Parameter), [
    [[gpu, [1, 2], [2]], /^Parameter: data must be a Float32Array but is/],
    [[gpu, tensorOf(gpu), [2]], /^Parameter: data must be a Float32Array but is a Tensor$/],
    [[Float32Array.of(1), [1]], /^Parameter: gpu is Float32Array/],
    [[gpu, Float32Array.of(1)], /^Parameter: shape/],
    [[gpu, Float32Array.of(1), [1], { label: 'w' }], /^Parameter: label must be a string but is an Object$/],
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
  refuses(made(SmallCnn), [
    [[gpu, { num_classes: 4, random }], /^SmallCnn: unknown option num_classes; did you mean numClasses\?$/],
    [[gpu, 10], /^SmallCnn: expected an options object but got 10/],
    [[{ numClasses: 4, random }], /^SmallCnn: gpu is Object/],
    [[gpu, { numClasses: 4 }], /^SmallCnn: random is missing from the options$/],
    [
      [gpu, { numClasses: 4, random, convolutions: 2 }],
      /^SmallCnn: convolutions must be an array of convolutions but is 2$/,
    ],
    [
      [gpu, { numClasses: 4, random, convolutions: [[16, 5]] }],
      /^SmallCnn: convolutions\[0\]: expected an options object/,
    ],
    [
      [gpu, { numClasses: 4, random, convolutions: [{ outChannels: 2, kernelSize: 3, stride: 2 }] }],
      /^SmallCnn: convolutions\[0\]: unknown option stride/,
    ],
    [[gpu, { numClasses: 4, random, imageSize: [28, 28] }], /^SmallCnn: imageSize must be a whole number >= 1/],
    [[gpu, { numClasses: 4, random, imageSize: 4 }], /nothing is left of images of 4/],
  ]);
  const model = new SmallCnn(gpu, { numClasses: 4, random });
  refuses(
    (...args: never[]) => model.getParameters(...args),
    [
      [[0.1], /^getParameters: expected an options object but got 0.1; pass an object, such as \{ baseLr: 0.1 \}$/],
      [[{ base_lr: 0.1 }], /^getParameters: unknown option base_lr; did you mean baseLr\?$/],
      [[{ finetune: 0 }], /^getParameters: finetune must be true or false but is 0$/],
    ],
  );
  const sizes = { inFeature: 2, hiddenSize: 3, random };
  refuses(made(DomainDiscriminator), [
    [[gpu, 2, 3], /^DomainDiscriminator: expected an options object but got 2/],
    [
      [gpu, { ...sizes, hidden_size: 3 }],
      /^DomainDiscriminator: unknown option hidden_size; did you mean hiddenSize\?$/,
    ],
    [[gpu, { ...sizes, inFeatures: 2 }], /^DomainDiscriminator: unknown option inFeatures; did you mean inFeature\?$/],
    [[gpu, { ...sizes, batchNorm: 'no' }], /^DomainDiscriminator: batchNorm must be true or false but is 'no'/],
    [[gpu, { hiddenSize: 3, random }], /^DomainDiscriminator: inFeature is missing from the options$/],
    [[sizes], /^DomainDiscriminator: gpu is Object/],
  ]);
  refuses(made(DomainAdversarialLoss), [
    [
      [{ domainDiscriminator: net }],
      /^DomainAdversarialLoss: domainDiscriminator must be a Module but is an Object; pass it first$/,
    ],
    [
      [net, { reduction: 'avg' }],
      /^DomainAdversarialLoss: reduction must be one of 'mean', 'sum', 'none' but is 'avg'/,
    ],
    [[net, 'mean'], /^DomainAdversarialLoss: expected an options object but got 'mean'/],
    [[net, { grl: null }], /^DomainAdversarialLoss: unknown option grl; its options are reduction, gradientReversal/],
    [[net, { gradientReversal: {} }], /gradientReversal must be a WarmStartGradientReverseLayer but is an Object$/],
  ]);
  refuses(made(WarmStartGradientReverseLayer), [
    [[1], /^WarmStartGradientReverseLayer: expected an options object but got 1/],
    [[{ max_iters: 100 }], /^WarmStartGradientReverseLayer: unknown option max_iters; did you mean maxIters\?$/],
    [[{ alpha: '1' }], /alpha must be a finite number but is '1' \(a string\)$/],
    [[{ hi: Number.NaN }], /hi must be a finite number but is NaN$/],
    [[{ maxIters: 0 }], /maxIters must be a number > 0 but is 0$/],
    [[{ autoStep: 1 }], /autoStep must be true or false but is 1$/],
  ]);
  refuses(made(ClassWeightModule), [
    [
      [0.1],
      /^ClassWeightModule: expected an options object but got 0.1; pass an object, such as \{ temperature: 0.1 \}$/,
    ],
    [[{ T: 0.1 }], /^ClassWeightModule: unknown option T/],
    [[{ temperature: 0 }], /^ClassWeightModule: temperature must be a number .* but is 0$/],
    [[{ temperature: '1' }], /temperature must be a number .* but is '1' \(a string\)$/],
  ]);
  function* generator() {}
  const all = { updateSteps: 1, dataLoader: [], classifier: net, numClasses: 3 };
  refuses(made(AutomaticUpdateClassWeightModule), [
    [[all], /^AutomaticUpdateClassWeightModule: gpu is Object/],
    [[gpu, { ...all, update_steps: 1 }], /unknown option update_steps; did you mean updateSteps\?$/],
    [[gpu, { ...all, device: 'cuda' }], /unknown option device/],
    [
      [gpu, { updateSteps: 1, dataLoader: [], numClasses: 3 }],
      /^AutomaticUpdateClassWeightModule: classifier is missing/,
    ],
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
    (...args: never[]) => loss.forward(...(args as unknown as [never, never])),
    [
      [
        [x, x, w, w],
        /^DomainAdversarialLoss: weights: expected an options object \{ source, target \} but got a Tensor/,
      ],
      [[x, x, { source: w }], /^DomainAdversarialLoss: weights: target is missing/],
    ],
  );
  for (const part of [net, model, x, w, loss]) part.dispose();
});

gpuTest('layers without options take none, and forward takes only relu', (gpu) => {
  refuses(made(ReLU), [
    [[true], /^ReLU: it takes no options but got true \(a boolean\)$/],
    [[{ inplace: true }], /^ReLU: it takes no options but got an Object$/],
  ]);
  refuses(made(Sigmoid), [[[gpu], /^Sigmoid: it takes no options but got a Gpu$/]]);
  refuses(made(Flatten), [[[0], /^Flatten: it takes no options but got 0$/]]);
  refuses(made(ModuleList), [[[[new ReLU(), relu]], /^ModuleList: module 1 must be a Module but is a function relu$/]]);
  const [x, images] = [
    tensor(gpu, [[1, 2]]),
    tensor(gpu, [
      [
        [
          [1, 2, 3],
          [4, 5, 6],
          [7, 8, 9],
        ],
      ],
    ]),
  ];
  const layers: [RectifyingModule, typeof x][] = [
    [new Linear(gpu, dense), x],
    [new Conv2d(gpu, convolution), images],
    [new MaxPool2d({ kernelSize: 2 }), images],
    [new BatchNorm1d(gpu, { numFeatures: 2 }).eval(), x],
  ];
  for (const [layer, input] of layers) {
    const { name } = layer.constructor;
    tidy(() => void layer.forward(input, { relu: true }));
    refuses(
      (...args: never[]) => layer.forward(input, ...args),
      [
        [[{ ReLU: true }], new RegExp(`^${name}\\.forward: unknown option ReLU; did you mean relu\\?$`)],
        [[true], new RegExp(`^${name}\\.forward: expected an options object but got true`)],
      ],
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
