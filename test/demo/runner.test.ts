import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Command, Report } from '../../demo/page/protocol.ts';
import { defaultSettings, type Settings } from '../../demo/page/settings.ts';
import type { Digits } from '../../demo/page/worker/digits.ts';
import { Conductor } from '../../demo/page/worker/runner.ts';
import { createGpu } from '../../src/gemm/createGpu.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/io/safetensors.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/train/checkpoint.ts';
import { stripes } from '../train/stripes.ts';

// The trainings as the page's worker runs them, with stripes in place of digits.

const digits: Digits = { source: stripes(80, 1), target: stripes(60, 2, { brightness: 120 }), test: stripes(40, 3) };
const settings: Settings = { ...defaultSettings, digits: [0, 1], batch: 8, updateSteps: 3 };

type Kind = Report['type'];
type Of<K extends Kind> = Extract<Report, { type: K }>;

/** A conductor with what it reports, in the place of the page. */
class Stage {
  readonly reports: Report[] = [];
  readonly gpus: Gpu[] = [];
  private waiting: (() => void)[] = [];
  private readonly conductor = new Conductor(
    (report) => {
      this.reports.push(report);
      for (const wake of this.waiting.splice(0)) wake();
    },
    {
      digits: async () => digits,
      machine: async () => {
        const gpu = await createGpu();
        this.gpus.push(gpu);
        return { gpu, roundTripMs: 0 };
      },
    },
  );

  constructor() {
    this.conductor.run();
  }

  send(command: Command): void {
    this.conductor.take(command);
  }

  /** The next report of a kind that is as wanted, from here on. */
  async next<K extends Kind>(type: K, wanted: (report: Of<K>) => boolean = () => true): Promise<Of<K>> {
    for (let at = this.reports.length; ; ) {
      for (; at < this.reports.length; at++) {
        const report = this.reports[at]!;
        if (report.type === type && wanted(report as Of<K>)) return report as Of<K>;
        if (report.type === 'failed' && type !== 'failed') throw new Error(report.text);
      }
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  /** Sends a command, and gives the next report of a kind. */
  async ask<K extends Kind>(command: Command, type: K, wanted?: (report: Of<K>) => boolean): Promise<Of<K>> {
    const answer = this.next(type, wanted);
    this.send(command);
    return answer;
  }

  async steps(n: number): Promise<Of<'progress'>> {
    let last: Of<'progress'> | undefined;
    for (let i = 0; i < n; i++) last = await this.ask({ type: 'step' }, 'progress');
    return last!;
  }

  /** The losses of one training, iteration by iteration, those after a loss of the device in place of those before. */
  losses(method: string): number[] {
    const losses: number[] = [];
    for (const report of this.reports)
      if (report.type === 'progress')
        for (const figures of report.figures)
          if (figures.method === method)
            for (const { iteration, classLoss } of figures.rows) losses[iteration] = classLoss;
    return losses;
  }

  close(): void {
    for (const gpu of this.gpus) gpu.dispose();
  }
}

const at = (report: Of<'progress'>) => report.figures.map(({ method, iteration }) => [method, iteration] as const);
const weightsOf = ({ figures }: Of<'progress'>) => figures.find(({ method }) => method === 'pada')!.weights.classWeight;

async function onStage(body: (stage: Stage) => Promise<void>): Promise<void> {
  const stage = new Stage();
  try {
    await body(stage);
  } finally {
    stage.close();
  }
}

test('trainings go side by side, a pause is at once, looks come at the end', () =>
  onStage(async (stage) => {
    const ready = await stage.ask({ type: 'begin', settings, revision: 1 }, 'ready');
    assert.equal(
      [ready.iterations, ready.from],
      [
        [
          ['dann', 0],
          ['pada', 0],
        ],
        'start',
      ],
    );
    assert.equal([ready.samples.targetCount, ready.samples.testCount], [30, 20]);
    const looks = stage.next('looks');
    assert.equal(at(await stage.steps(2)), [
      ['dann', 2],
      ['pada', 2],
    ]);
    for (const [, look] of (await looks).looks) assert.is(look.evaluation.count, 20);
    await stage.ask({ type: 'run' }, 'progress', ({ figures }) => figures[0]!.iteration > 4);
    const stopped = await stage.ask({ type: 'pause' }, 'stopped');
    const { figures } = await stage.next('progress');
    assert.is(stopped.why, 'asked');
    for (const { iteration } of figures) assert.ok(iteration - stopped.iteration <= 1);
    const count = stage.reports.length;
    await stage.ask({ type: 'draw', pixels: null, drawing: 2 }, 'answers');
    assert.ok(stage.reports.slice(count).every(({ type }) => type !== 'progress'));
  }));

test('other digits and another temperature change the weights at once, and training goes on', () =>
  onStage(async (stage) => {
    const warm = { ...settings, temperature: 1 };
    await stage.ask({ type: 'begin', settings: warm, revision: 1 }, 'ready');
    const before = weightsOf(await stage.steps(15));
    const changed = stage.next('ready');
    stage.send({ type: 'change', settings: { ...warm, digits: [2, 3] }, revision: 2 });
    assert.equal((await changed).iterations, [
      ['dann', 15],
      ['pada', 15],
    ]);
    const others = weightsOf(await stage.next('progress'));
    assert.is.not(others.join(), before.join());
    assert.ok(others[2]! + others[3]! > before[2]! + before[3]!, `${before} then ${others}`);
    const softer = { ...settings, digits: [2, 3], temperature: 5, methods: ['source-only', 'pada'] } as Settings;
    const ready = await stage.ask({ type: 'change', settings: softer, revision: 3 }, 'ready');
    assert.equal(ready.iterations, [
      ['source-only', 0],
      ['pada', 15],
    ]);
    const soft = weightsOf(await stage.next('progress'));
    assert.ok(Math.min(...soft) > Math.min(...others), `${others} then ${soft}`);
    assert.equal(at(await stage.steps(1)), [
      ['source-only', 1],
      ['pada', 15],
    ]);
  }));

test('a drawing is answered by every network, anew when they have learnt', () =>
  onStage(async (stage) => {
    await stage.ask({ type: 'begin', settings, revision: 1 }, 'ready');
    const pixels = Uint8Array.from(digits.test.images.subarray(0, 256));
    const { answers } = await stage.ask({ type: 'draw', pixels, drawing: 1 }, 'answers');
    assert.equal(
      answers!.map(([method]) => method),
      ['dann', 'pada'],
    );
    for (const [, probabilities] of answers!)
      assert.ok(Math.abs(probabilities.reduce((sum, p) => sum + p, 0) - 1) < 1e-5);
    const later = await stage.ask({ type: 'step' }, 'answers');
    assert.is.not(later.answers![0]![1].join(), answers![0]![1].join());
    assert.is((await stage.ask({ type: 'draw', pixels: null, drawing: 2 }, 'answers')).answers, null);
  }));

test('a training is saved and opened again, bit for bit; a network too; what is neither is refused', () =>
  onStage(async (stage) => {
    await stage.ask({ type: 'begin', settings, revision: 1 }, 'ready');
    await stage.steps(4);
    const { bytes, name } = await stage.ask({ type: 'save', method: 'pada', what: 'training' }, 'saved');
    const network = await stage.ask({ type: 'save', method: 'pada', what: 'model' }, 'saved');
    assert.is(name, 'padagrad-pada-4.safetensors');
    assert.is((await decodeCheckpoint(bytes)).options.classWeightUpdateSteps, 3);
    assert.ok(decodeSafetensors(network.bytes).tensors.has('head.weight'));
    await stage.steps(3);
    const expected = stage.losses('pada');
    await stage.ask({ type: 'begin', settings: { ...settings, seed: 9, temperature: 1 }, revision: 2 }, 'ready');
    const ready = stage.next('ready');
    await stage.ask({ type: 'load', method: 'dann', name, bytes }, 'loaded');
    assert.equal([(await ready).settings.seed, (await ready).settings.temperature], [0, 0.1]);
    assert.equal((await ready).iterations, [
      ['dann', 0],
      ['pada', 4],
    ]);
    // Until the other has caught up.
    while (at(await stage.steps(1))[1]![1]! < 7);
    assert.equal(stage.losses('pada').slice(4), expected.slice(4));
    await stage.ask({ type: 'load', method: 'dann', name: 'n', bytes: network.bytes }, 'loaded');
    const noise = await stage.ask({ type: 'load', method: 'dann', name: 'noise', bytes: new Uint8Array(99) }, 'failed');
    assert.match(noise.text, /noise: at byte/);
    const change = { ...settings, digits: [0, 1, 2] };
    await stage.ask({ type: 'change', settings: change, revision: 3 }, 'ready');
    const other = await stage.ask({ type: 'load', method: 'pada', name, bytes }, 'failed');
    assert.match(other.text, /this training had 30 target images, but here there are 45; choose the digits/);
    assert.is(other.fatal, false);
    assert.equal(at(await stage.steps(1)).length, 2);
  }));

test('a lost device is replaced, and the trainings go on as if nothing had happened', async () => {
  let expected: number[] = [];
  await onStage(async (stage) => {
    await stage.ask({ type: 'begin', settings, revision: 1 }, 'ready');
    await stage.steps(8);
    expected = stage.losses('pada');
  });
  await onStage(async (stage) => {
    await stage.ask({ type: 'begin', settings, revision: 1 }, 'ready');
    await stage.steps(5);
    (stage.gpus[0]!.native as GPUDevice).destroy();
    const lost = await stage.ask({ type: 'step' }, 'lost');
    assert.is(stage.gpus.length, 2);
    assert.ok(lost.iterations.every(([, iteration]) => iteration <= 5));
    while (at(await stage.steps(1))[1]![1]! < 8);
    assert.equal(stage.losses('pada'), expected);
  });
});

test('after three lost devices it gives up and says so, and can begin again', () =>
  onStage(async (stage) => {
    await stage.ask({ type: 'begin', settings, revision: 1 }, 'ready');
    for (let i = 0; i < 2; i++) {
      (stage.gpus.at(-1)!.native as GPUDevice).destroy();
      await stage.ask({ type: 'step' }, 'lost');
    }
    (stage.gpus.at(-1)!.native as GPUDevice).destroy();
    const { code, fatal } = await stage.ask({ type: 'step' }, 'failed');
    assert.equal([code, fatal], ['GPU_LOST', true]);
    await stage.ask({ type: 'begin', settings, revision: 1 }, 'ready');
    assert.equal(at(await stage.steps(1)), [
      ['dann', 1],
      ['pada', 1],
    ]);
  }));

test('reports repeat the number of the choice, and other digits are looked at without delay', () =>
  onStage(async (stage) => {
    assert.equal((await stage.ask({ type: 'begin', settings, revision: 4 }, 'ready')).next, []);
    const seen = stage.next('looks');
    assert.is((await stage.steps(1)).revision, 4);
    assert.is((await seen).revision, 4);
    const [ready, looks] = [stage.next('ready'), stage.next('looks', ({ revision }) => revision > 4)];
    stage.send({ type: 'change', settings: { ...settings, digits: [2, 3] }, revision: 5 });
    assert.equal(
      [(await ready).revision, (await ready).from, (await ready).next],
      [5, 'before', ['progress', 'looks']],
    );
    for (const [, { iteration, evaluation }] of (await looks).looks) {
      const shown = evaluation.confusion.map((row) => row.reduce((sum, n) => sum + n, 0) > 0);
      assert.equal([iteration, shown.slice(0, 4)], [1, [false, false, true, true]]);
    }
    // A choice that is replaced by the next one is not looked at.
    const count = stage.reports.length;
    stage.send({ type: 'change', settings: { ...settings, digits: [1, 2] }, revision: 6 });
    stage.send({ type: 'change', settings: { ...settings, digits: [0, 1] }, revision: 7 });
    await stage.next('looks', ({ revision }) => revision === 7);
    assert.not(stage.reports.slice(count).some((report) => report.type === 'looks' && report.revision === 6));
    // While it trains, only other digits are looked at at once.
    await stage.ask({ type: 'run' }, 'progress');
    for (const [revision, change, next] of [
      [8, { digits: [1, 2] }, ['progress', 'looks']],
      [9, { digits: [1, 2], temperature: 1 }, ['progress']],
    ] as const) {
      const changed = stage.next('ready');
      stage.send({ type: 'change', settings: { ...settings, ...change }, revision });
      assert.equal((await changed).next, next);
    }
  }));

test('a choice that fails ends the trainings, rather than to leave none of them running', () =>
  onStage(async (stage) => {
    await stage.ask({ type: 'begin', settings, revision: 1 }, 'ready');
    await stage.ask({ type: 'run' }, 'progress');
    // The stripes have four classes.
    const failed = stage.next('failed');
    stage.send({ type: 'change', settings: { ...settings, digits: [9] }, revision: 2 });
    assert.equal([(await failed).fatal, (await failed).running], [true, false]);
    await stage.ask({ type: 'begin', settings, revision: 3 }, 'ready');
    assert.equal(at(await stage.steps(1)), [
      ['dann', 1],
      ['pada', 1],
    ]);
  }));

test('a beginning that fails is fatal', () =>
  onStage(async (stage) => {
    const batch = { ...settings, batch: 1000 };
    assert.is((await stage.ask({ type: 'begin', settings: batch, revision: 1 }, 'failed')).fatal, true);
    await stage.ask({ type: 'begin', settings, revision: 2 }, 'ready');
  }));

test('a file that cannot be opened leaves the trainings as they were', () =>
  onStage(async (stage) => {
    await stage.ask({ type: 'begin', settings, revision: 1 }, 'ready');
    await stage.steps(2);
    const { bytes } = await stage.ask({ type: 'save', method: 'pada', what: 'training' }, 'saved');
    const checkpoint = await decodeCheckpoint(bytes);
    checkpoint.tensors.delete('model.head.weight');
    const broken = await encodeCheckpoint(checkpoint);
    const failed = await stage.ask({ type: 'load', method: 'pada', name: 'broken', bytes: broken }, 'failed');
    assert.equal([failed.fatal, /head\.weight/.test(failed.text)], [false, true], failed.text);
    assert.equal(at(await stage.steps(1)), [
      ['dann', 3],
      ['pada', 3],
    ]);
    const absent = await stage.ask({ type: 'save', method: 'source-only', what: 'model' }, 'failed');
    assert.is(absent.text, 'there is no training of source-only now; choose it among the trainings first');
  }));

test('class weights of a file are told before the next iteration', () =>
  onStage(async (stage) => {
    await stage.ask({ type: 'begin', settings, revision: 1 }, 'ready');
    const weights = weightsOf(await stage.steps(5));
    assert.ok(weights.some((weight) => weight !== 1));
    const { bytes } = await stage.ask({ type: 'save', method: 'pada', what: 'training' }, 'saved');
    await stage.ask({ type: 'begin', settings, revision: 2 }, 'ready');
    const progress = stage.next('progress');
    stage.send({ type: 'load', method: 'pada', name: 'saved', bytes });
    assert.equal(weightsOf(await progress), weights);
  }));

test('a network that computes NaN is named, not shown', () =>
  onStage(async (stage) => {
    await stage.ask({ type: 'begin', settings, revision: 1 }, 'ready');
    const { bytes } = await stage.ask({ type: 'save', method: 'pada', what: 'model' }, 'saved');
    const { tensors } = decodeSafetensors(bytes);
    (tensors.get('head.weight')!.data as Float32Array).fill(Number.NaN);
    const broken = encodeSafetensors(tensors);
    const { text } = await stage.ask({ type: 'load', method: 'pada', name: 'nan', bytes: broken }, 'failed');
    assert.match(text, /^the network of pada computes NaN at iteration 0; start over/);
    const pixels = Uint8Array.from(digits.test.images.subarray(0, 256));
    assert.match((await stage.ask({ type: 'draw', pixels, drawing: 1 }, 'failed')).text, /pada computes NaN/);
    // What is NaN cannot be trained with other settings either.
    const stepped = await stage.ask({ type: 'step' }, 'failed');
    assert.equal([/pada became NaN/.test(stepped.text), stepped.fatal], [true, false]);
    const warm = { ...settings, temperature: 1 };
    assert.is((await stage.ask({ type: 'change', settings: warm, revision: 2 }, 'failed')).fatal, true);
  }));

test('a drawing from before the start is answered after it', () =>
  onStage(async (stage) => {
    const pixels = Uint8Array.from(digits.test.images.subarray(0, 256));
    stage.send({ type: 'draw', pixels, drawing: 7 });
    const answers = stage.next('answers');
    assert.equal((await stage.ask({ type: 'begin', settings, revision: 3 }, 'ready')).next, ['answers']);
    assert.equal([(await answers).drawing, (await answers).revision], [7, 3]);
  }));

test.run();
