// Random small training programs, for the property that a captured step does what calling its function does, or throws. A
// program is a network, an optimiser, two functions and a list of actions on them. It runs twice from the same seed: once
// with the functions called, once with them captured. Everything that can be seen is compared bit by bit.
import { backward, noGrad, zeroGrad } from '../src/autograd.ts';
import { type CapturedStep, capture, runSteps } from '../src/capture.ts';
import type { Gpu } from '../src/gpu/gpu.ts';
import { Counter, Scalar } from '../src/gpu/scalar.ts';
import {
  BatchNorm1d,
  Dropout,
  Linear,
  type Module,
  type Parameter,
  ReLU,
  Sequential,
  Sigmoid,
} from '../src/nn/index.ts';
import { add } from '../src/ops/add.ts';
import { crossEntropy } from '../src/ops/crossEntropy.ts';
import { gradientReversal } from '../src/ops/gradientReversal.ts';
import { mean } from '../src/ops/mean.ts';
import { mul } from '../src/ops/mul.ts';
import { scale } from '../src/ops/scale.ts';
import { sum } from '../src/ops/sum.ts';
import { Adam, AdamW, clipGradNorm, InverseDecay, type Optimizer, Sgd } from '../src/optim/index.ts';
import { Random } from '../src/random.ts';
import { type Tensor, tensor, write } from '../src/tensor.ts';
import { keep, tidy } from '../src/tidy.ts';
import { seeded, uniform } from './harness.ts';

/** The results of a program in order, and the error that ended it, if one did. */
export interface Outcome {
  seen: { what: string; data: Float32Array }[];
  error: Error | undefined;
}

const ROWS = 4;
const FEATURES = 3;
const CLASSES = 3;

type Draw = <T>(choices: readonly T[]) => T;

/** A step of a program: the function itself, or the captured step that replaces it. */
interface Step {
  run(): Tensor;
  captured?: CapturedStep<Tensor>;
}

/** Everything that a program's functions and actions use. */
class Program {
  readonly x: Tensor;
  readonly labels: Tensor;
  readonly net: Module;
  readonly parameters: Parameter[];
  readonly optimizer: Optimizer;
  readonly schedule: InverseDecay;
  readonly factor = new Scalar(0.5);
  readonly coefficient = new Counter(1);
  readonly owned: { dispose(): void }[] = [];

  constructor(
    readonly gpu: Gpu,
    readonly draw: Draw,
    private readonly random: () => number,
    seed: number,
  ) {
    const weights = new Random(seed);
    this.x = this.own(keep(tensor(gpu, this.data(), [ROWS, FEATURES], 'x')));
    this.labels = this.own(
      keep(
        tensor(
          gpu,
          Uint32Array.from({ length: ROWS }, (_, i) => i % CLASSES),
        ),
      ),
    );
    const width = draw([2, 5]);
    const body = [
      () => new BatchNorm1d(gpu, { numFeatures: width }),
      () => new Dropout({ p: 0.4, seed: 7 }),
      () => new ReLU(),
      () => new Sigmoid(),
    ];
    const layers: Module[] = [new Linear(gpu, { inFeatures: FEATURES, outFeatures: width, random: weights })];
    for (let i = draw([0, 1, 2, 3]); i > 0; i--) layers.push(draw(body)());
    layers.push(
      new Linear(gpu, { inFeatures: width, outFeatures: CLASSES, random: weights, bias: draw([true, false]) }),
    );
    this.net = this.own(new Sequential(...layers));
    this.parameters = [...this.net.parameters()];
    if (draw([false, false, true])) this.parameters[0]!.requiresGrad = false;
    this.optimizer = this.own(this.makeOptimizer());
    this.schedule = new InverseDecay(this.optimizer, { lr: 0.1, gamma: 0.3, decay: 0.75 });
  }

  data(): Float32Array {
    return uniform([ROWS, FEATURES], this.random, 2);
  }

  own<T extends { dispose(): void }>(thing: T): T {
    this.owned.unshift(thing);
    return thing;
  }

  /** The functions that are called or captured: each a few calls in an order that PyTorch users write. */
  functions(): Record<'first' | 'second', () => Tensor> {
    const { optimizer, net, x, labels, factor, coefficient, draw } = this;
    const loss = draw([
      () => crossEntropy(net.forward(x), labels),
      () => mean(mul(net.forward(x), net.forward(x))),
      () => scale(crossEntropy(net.forward(x), labels), factor),
      () => sum(gradientReversal(net.forward(x), coefficient)),
      () => add(crossEntropy(net.forward(x), labels), scale(mean(net.forward(x)), factor)),
    ]);
    const clears = draw([true, true, false]);
    const times = draw([1, 1, 2]);
    const clip = draw([false, false, true]);
    const clearsAfter = draw([false, false, true]);
    const forwardBackward = (): Tensor => {
      if (clears) optimizer.zeroGrad();
      let result = loss();
      backward(result);
      for (let i = 1; i < times; i++) {
        result = loss();
        backward(result);
      }
      return result;
    };
    const update = (): Tensor => {
      const norm = clip ? clipGradNorm(this.parameters, 0.5) : scale(factorOne(this), 1);
      optimizer.step();
      if (clearsAfter) optimizer.zeroGrad();
      return norm;
    };
    const all = (): Tensor => {
      const result = forwardBackward();
      update();
      return result;
    };
    const look = (): Tensor => noGrad(() => sum(net.forward(x)));
    return { first: draw([forwardBackward, all]), second: draw([update, look, all]) };
  }

  private makeOptimizer(): Optimizer {
    const { draw, parameters } = this;
    const groups = draw([false, true])
      ? parameters
      : [{ params: parameters.slice(0, 1), lr: 0.05, weightDecay: 0.1 }, { params: parameters.slice(1) }];
    return draw([
      () => new Sgd(groups, { lr: 0.1 }),
      () => new Sgd(groups, { lr: 0.1, momentum: 0.9, nesterov: draw([true, false]), weightDecay: 0.01 }),
      () => new Adam(groups, { lr: 0.1, amsgrad: draw([true, false]) }),
      () => new AdamW(groups, { lr: 0.1 }),
    ])();
  }
}

/** A tensor of one element that every program has. */
const factorOne = ({ x }: Program): Tensor => sum(x);

const NAMES = ['first', 'second'] as const;

/** The action under this name, as a call on the program and its steps. */
const actions: Record<string, (program: Program, steps: Record<'first' | 'second', Step>, see: See) => unknown> = {
  'run first': (_, { first }, see) => see('first', first.run()),
  'run second': (_, { second }, see) => see('second', second.run()),
  'run both': (_, { first, second }) => together(first, second),
  'run first twice': (_, { first }) => together(first, first),
  'run first and second twice': (_, { first, second }) => together(first, second, first, second),
  zeroGrad: ({ optimizer }) => optimizer.zeroGrad(),
  'forget one gradient': ({ parameters }) => zeroGrad(parameters.slice(-1)),
  'eager step': ({ optimizer }) => optimizer.step(),
  'eager backward': ({ net, x, labels }) => tidy(() => backward(crossEntropy(net.forward(x), labels))),
  'schedule step': ({ schedule }) => schedule.step(),
  'set lr': ({ optimizer, draw }) => {
    optimizer.lr = draw([0.01, 0.2]);
  },
  'set a group': ({ optimizer }) => {
    optimizer.groups[0]!.weightDecay = 0.3;
  },
  'set a scalar': ({ factor, draw }) => {
    factor.value = draw([0.25, 2]);
  },
  'freeze or not': ({ parameters }) => {
    const last = parameters.at(-1)!;
    last.requiresGrad = !last.requiresGrad;
  },
  'change mode': ({ net }) => net.train(!net.training),
  'write x': (program) => write(program.x, program.data()),
  'write a parameter': ({ parameters, draw }) => {
    const chosen = draw(parameters);
    write(chosen, new Float32Array(chosen.size).fill(0.125));
  },
  'read gradients': async ({ parameters }, _, see) => {
    for (const [i, { grad }] of parameters.entries()) if (grad) await see(`gradient ${i}`, grad);
  },
};
// Runs are drawn three times as often as other actions.
const CHOICES = [...Object.keys(actions), ...Object.keys(actions).slice(0, 5), ...Object.keys(actions).slice(0, 5)];

type See = (what: string, x: Tensor) => Promise<void>;

function together(...steps: readonly Step[]): void {
  const captured = steps.flatMap((step) => step.captured ?? []);
  if (captured.length > 0) runSteps(...captured);
  else for (const step of steps) tidy(() => void step.run());
}

/** Runs the program of a seed, with its functions called or captured. */
export async function runProgram(gpu: Gpu, seed: number, captured: boolean): Promise<Outcome> {
  const seen: Outcome['seen'] = [];
  const random = seeded(seed);
  const draw: Draw = (choices) => choices[Math.floor(random() * choices.length)]!;
  const program = new Program(gpu, draw, random, seed);
  const see: See = async (what, x) => void seen.push({ what, data: await x.read() });
  let error: Error | undefined;
  try {
    const functions = program.functions();
    const before = Array.from({ length: draw([0, 0, 1, 2]) }, () => draw(CHOICES));
    const after = Array.from({ length: 3 + Math.floor(random() * 6) }, () => draw(CHOICES));
    const steps = Object.fromEntries(NAMES.map((name) => [name, { run: () => tidy(functions[name]) }])) as Record<
      'first' | 'second',
      Step
    >;
    const perform = async (name: string): Promise<void> => {
      const results: Tensor[] = [];
      const seeing: See = async (what, x) => {
        results.push(x);
        await see(`${name}: ${what}`, x);
      };
      await actions[name]!(program, steps, seeing);
      // A captured step frees its results itself.
      if (steps.first.captured) return;
      for (const x of results) if (program.parameters.every(({ gradient }) => gradient !== x)) x.dispose();
    };
    for (const name of before) await perform(name);
    if (captured) {
      for (const name of NAMES) {
        const step = program.own(await capture(gpu, functions[name]));
        steps[name] = {
          run: () => {
            step.run();
            return step.result;
          },
          captured: step,
        };
      }
    }
    for (const name of after) await perform(name);
    for (const [name, { data }] of await program.net.stateDict({ all: true }))
      seen.push({ what: name, data: Float32Array.from(data as Float32Array, Number) });
    for (const [name, { data }] of await program.optimizer.stateDict())
      seen.push({ what: `optimiser ${name}`, data: Float32Array.from(data as Float32Array, Number) });
    for (const [i, { grad }] of program.parameters.entries()) {
      seen.push({ what: `gradient ${i} at the end`, data: grad ? await grad.read() : new Float32Array(0) });
    }
  } catch (cause) {
    error = cause as Error;
  }
  for (const thing of program.owned) thing.dispose();
  return { seen, error };
}
