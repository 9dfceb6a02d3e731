import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Command, Report, SavedKind } from '../../demo/page/protocol.ts';
import { defaultSettings, type Settings } from '../../demo/page/settings.ts';
import { ERRORS } from '../../demo/page/words.ts';
import type { TaskImages } from '../../demo/page/worker/images.ts';
import { Runner } from '../../demo/page/worker/runner.ts';
import { selectClasses } from '../../src/data/subset.ts';
import { createGpu } from '../../src/gemm/createGpu.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/io/safetensors.ts';
import { MODELS } from '../../src/models/named.ts';
import { Random } from '../../src/random.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/train/checkpoint.ts';
import { Evaluator } from '../../src/train/evaluate.ts';
import type { MethodName } from '../../src/train/methods/named.ts';
import { asTrained, decodeModel } from '../../src/train/modelFile.ts';
import { predict } from '../../src/train/predict.ts';
import { stripes } from '../train/stripes.ts';

// The page's worker, with small images of stripes instead of digits. The test takes the place of the page.

const images: TaskImages = {
  task: 'digits',
  classNames: ['0', '1', '2', '3'],
  source: stripes(80, 1),
  target: stripes(60, 2, { brightness: 120 }),
  test: stripes(40, 3),
  resize: null,
};
const settings: Settings = { ...defaultSettings, classes: [0, 1], batch: 8, updateSteps: 3 };
const image = Uint8Array.from(images.test!.images.subarray(0, 256));

type Kind = Report['type'];
type Of<K extends Kind> = Extract<Report, { type: K }>;

class Page {
  readonly reports: Report[] = [];
  readonly gpus: Gpu[] = [];
  private revision = 0;
  private waiting: (() => void)[] = [];
  private readonly runner = new Runner(
    (report) => {
      this.reports.push(report);
      for (const wake of this.waiting.splice(0)) wake();
    },
    {
      images: async () => images,
      gpu: async () => {
        const gpu = await createGpu();
        this.gpus.push(gpu);
        return { gpu, roundTripMs: 0 };
      },
    },
  );

  constructor() {
    this.runner.work();
  }

  send(command: Command): void {
    this.runner.take(command);
  }

  /** Resolves to the next report of a kind that passes a test. Rejects if the worker fails before. */
  async next<K extends Kind>(type: K, passes: (report: Of<K>) => boolean = () => true): Promise<Of<K>> {
    for (let at = this.reports.length; ; ) {
      for (; at < this.reports.length; at++) {
        const report = this.reports[at]!;
        if (report.type === type && passes(report as Of<K>)) return report as Of<K>;
        if (report.type === 'failed' && type !== 'failed') throw new Error(report.text);
      }
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  /** Sends a command and returns the next report of a kind. */
  async ask<K extends Kind>(command: Command, type: K, passes?: (report: Of<K>) => boolean): Promise<Of<K>> {
    const answer = this.next(type, passes);
    this.send(command);
    return answer;
  }

  begin(change: Partial<Settings> = {}): Promise<Of<'ready'>> {
    return this.ask({ type: 'begin', settings: { ...settings, ...change }, revision: ++this.revision }, 'ready');
  }

  /** Sends other settings and returns the next report of a kind. */
  change<K extends Kind>(change: Partial<Settings>, type: K, passes?: (report: Of<K>) => boolean): Promise<Of<K>> {
    const command = { type: 'change', settings: { ...settings, ...change }, revision: ++this.revision } as const;
    return this.ask(command, type, passes);
  }

  async save(what: SavedKind, method: MethodName = 'pada'): Promise<Of<'saved'>> {
    return this.ask({ type: 'save', method, what }, 'saved');
  }

  load<K extends Kind>(bytes: Uint8Array, type: K, method: MethodName = 'pada'): Promise<Of<K>> {
    return this.ask({ type: 'load', method, name: 'file', bytes }, type);
  }

  async steps(n: number): Promise<Of<'progress'>> {
    let last: Of<'progress'> | undefined;
    for (let i = 0; i < n; i++) last = await this.ask({ type: 'step' }, 'progress');
    return last!;
  }

  /** Steps until PADA has done `n` iterations: it may have to wait for DANN. */
  async stepPadaTo(n: number): Promise<void> {
    while ((await this.steps(1)).runs[1]!.iteration < n);
  }

  loseGpu(): void {
    (this.gpus.at(-1)!.native as GPUDevice).destroy();
  }

  /** The losses of PADA by iteration. After the loss of a device the later values count. */
  losses(): number[] {
    const losses: number[] = [];
    for (const { runs } of this.reports.filter((report): report is Of<'progress'> => report.type === 'progress'))
      for (const { rows } of runs.filter(({ method }) => method === 'pada'))
        for (const { iteration, classLoss } of rows) losses[iteration] = classLoss;
    return losses;
  }
}

const at = ({ runs }: Of<'progress'>): string => runs.map(({ method, iteration }) => `${method} ${iteration}`).join();
const weightsOf = ({ runs }: Of<'progress'>) => runs.find(({ method }) => method === 'pada')!.weights.classWeight;

async function withPage<T>(body: (page: Page) => Promise<T>): Promise<T> {
  const page = new Page();
  try {
    return await body(page);
  } finally {
    for (const gpu of page.gpus) gpu.dispose();
  }
}

const pageTest = (name: string, body: (page: Page) => Promise<void>): void => test(name, () => withPage(body));

pageTest('trains runs side by side, pauses at once, and evaluates at rest', async (page) => {
  const ready = await page.begin();
  assert.equal([String(ready.iterations), ready.from, ready.next], ['dann,0,pada,0', 'start', []]);
  assert.is(ready.samples.testCount, 20);
  const seen = page.next('snapshots');
  assert.is(at(await page.steps(2)), 'dann 2,pada 2');
  for (const [, snapshot] of (await seen).snapshots) assert.is(snapshot.evaluation!.count, 20);
  await page.ask({ type: 'run' }, 'progress', ({ runs }) => runs[0]!.iteration > 4);
  const stopped = await page.ask({ type: 'pause' }, 'stopped');
  const { runs } = await page.next('progress');
  assert.is(stopped.why, 'asked');
  for (const { iteration } of runs) assert.ok(iteration - stopped.iteration <= 1);
  const count = page.reports.length;
  await page.ask({ type: 'draw', pixels: null, drawing: 2 }, 'answers');
  assert.ok(page.reports.slice(count).every(({ type }) => type !== 'progress'));
});

pageTest('recomputes the weights for other digits and another temperature, and continues', async (page) => {
  await page.begin({ temperature: 1 });
  const before = weightsOf(await page.steps(15));
  const changed = await page.change({ temperature: 1, classes: [2, 3] }, 'ready');
  assert.is(String(changed.iterations), 'dann,15,pada,15');
  const others = weightsOf(await page.next('progress'));
  assert.is.not(others.join(), before.join());
  assert.ok(others[2]! + others[3]! > before[2]! + before[3]!, `${before} then ${others}`);
  const ready = await page.change({ classes: [2, 3], temperature: 5, methods: ['source-only', 'pada'] }, 'ready');
  assert.is(String(ready.iterations), 'source-only,0,pada,15');
  const soft = weightsOf(await page.next('progress'));
  assert.ok(Math.min(...soft) > Math.min(...others), `${others} then ${soft}`);
  assert.is(at(await page.steps(1)), 'source-only 1,pada 15');
});

pageTest('answers a drawing with every network, and again after more training', async (page) => {
  // A drawing from before the start is answered after it.
  page.send({ type: 'draw', pixels: image, drawing: 1 });
  const first = page.next('answers');
  assert.equal((await page.begin()).next, ['answers']);
  const { answers, drawing, revision } = await first;
  assert.equal([answers!.map(([method]) => method), drawing, revision], [['dann', 'pada'], 1, 1]);
  for (const [, probabilities] of answers!)
    assert.ok(Math.abs(probabilities.reduce((sum, p) => sum + p, 0) - 1) < 1e-5);
  const later = await page.ask({ type: 'step' }, 'answers');
  assert.is.not(later.answers![0]![1].join(), answers![0]![1].join());
  assert.is((await page.ask({ type: 'draw', pixels: null, drawing: 2 }, 'answers')).answers, null);
});

pageTest('saves and opens a checkpoint bit for bit, and a network', async (page) => {
  await page.begin();
  await page.steps(4);
  const { bytes, name } = await page.save('checkpoint');
  const network = await page.save('network');
  assert.equal([name, network.name], ['padagrad-pada-4.safetensors', 'padagrad-pada-4.model.safetensors']);
  assert.is((await decodeCheckpoint(bytes)).method.options.classWeightUpdateSteps, 3);
  assert.ok(decodeSafetensors(network.bytes).tensors.has('head.weight'));
  const weights = weightsOf(await page.steps(3));
  assert.ok(weights.some((weight) => weight !== 1));
  const trained = await page.save('checkpoint');
  const expected = page.losses();
  await page.begin({ seed: 9, temperature: 1 });
  const ready = page.next('ready');
  const { method, iteration } = await page.load(bytes, 'loaded', 'dann');
  assert.equal([method, iteration], ['pada', 4]);
  assert.equal([(await ready).settings.seed, (await ready).settings.temperature], [0, 0.1]);
  assert.is(String((await ready).iterations), 'dann,0,pada,4');
  await page.stepPadaTo(7);
  assert.equal(page.losses().slice(4), expected.slice(4));
  assert.is((await page.load(network.bytes, 'loaded', 'dann')).iteration, undefined);
  // The class weights of a file are reported before the next iteration.
  await page.begin();
  assert.equal(weightsOf(await page.load(trained.bytes, 'progress')), weights);
});

pageTest('self-training has its own defaults, and its network knows its geometry', async (page) => {
  const methods: MethodName[] = ['self-training'];
  await page.begin({ methods, pseudoFrom: 2 });
  const snapshots = page.next('snapshots', ({ snapshots: [run] }) => run![1].iteration === 3);
  const { runs } = await page.steps(3);
  assert.equal([runs[0]!.iteration, runs[0]!.ended], [3, false]);
  const { evaluation, own } = (await snapshots).snapshots[0]![1];
  assert.ok(own!.kept >= 0 && own!.kept <= 100, `${own!.kept}`);
  const { bytes } = await page.save('network', 'self-training');
  const saved = decodeModel(bytes, 'page');
  assert.is(saved.record!.geometry, 'canonical');
  // As `padagrad eval` opens it.
  const [gpu] = page.gpus;
  const model = MODELS[saved.arch](gpu!, { shape: saved.record!.shape, numClasses: 4, random: new Random(0) });
  model.loadStateDict(saved.state);
  const test = asTrained(selectClasses(images.test!, [0, 1]), saved.record);
  const evaluator = new Evaluator(gpu!, { data: test, model, numClasses: 4 });
  assert.equal(await evaluator.run(), evaluation);
  const drawn = await predict(gpu!, {
    data: asTrained({ ...images.test!, images: image, count: 1 }, saved.record),
    model,
  });
  const { answers } = await page.ask({ type: 'draw', pixels: image, drawing: 1 }, 'answers');
  assert.equal(answers![0]![1], drawn.probabilities);
  for (const held of [evaluator, model]) held.dispose();
  const { analyses } = await page.ask({ type: 'analyse' }, 'analyses');
  const [, { target, points, sources, mistakes, aDistance, iteration }] = analyses[0]!;
  assert.equal([target, iteration, sources, points.length], [evaluation, 3, 80, 2 * (80 + 30)]);
  assert.ok(points.every(Number.isFinite) && aDistance <= 2);
  const [{ confusion, count }, size] = [target!, 256];
  const wrong = count - confusion.reduce((sum, row, c) => sum + row[c]!, 0);
  assert.is(mistakes.length, Math.min(wrong, 12));
  for (const { pixels, truth, prediction } of mistakes) {
    const at = [...test.labels!.keys()].find((i) => pixels.every((byte, k) => byte === test.images[size * i + k]));
    assert.ok(truth === test.labels![at!] && truth !== prediction);
  }
  const checkpoint = await decodeCheckpoint((await page.save('checkpoint', 'self-training')).bytes);
  const { threshold, pseudoFrom, temperature } = checkpoint.method.options;
  assert.equal([threshold, pseudoFrom, temperature], [0.99, 2, 1]);
  assert.equal([Boolean(checkpoint.jitter.source), Boolean(checkpoint.jitter.target)], [true, true]);
  // The geometry of a run that Node trained with another one.
  const other = await page.load(await encodeCheckpoint({ ...checkpoint, geometry: 'none' }), 'loaded', 'self-training');
  assert.is(other.iteration, 3);
  const { record } = decodeModel((await page.save('network', 'self-training')).bytes, 'page');
  assert.is(record!.geometry, 'none');
  // It pauses after 700 iterations.
  await page.load(await encodeCheckpoint({ ...checkpoint, iteration: 699 }), 'loaded', 'self-training');
  const stopped = await page.ask({ type: 'run' }, 'stopped');
  assert.equal([stopped.why, stopped.iteration], ['done', 700]);
  assert.is((await page.next('progress')).runs[0]!.ended, true);
  await page.begin();
  assert.match((await page.load(bytes, 'failed')).text, /geometry "canonical", but here none/);
});

pageTest('leaves the runs unchanged if a file cannot be opened', async (page) => {
  await page.begin();
  await page.steps(2);
  const { bytes } = await page.save('checkpoint');
  const checkpoint = await decodeCheckpoint(bytes);
  checkpoint.tensors.delete('model.head.weight');
  const broken = await encodeCheckpoint(checkpoint);
  for (const [file, text] of [
    [new Uint8Array(99), /^file: at byte/],
    [broken, /head\.weight/],
  ] as const) {
    const failed = await page.load(file, 'failed');
    assert.match(failed.text, text);
    assert.is(failed.fatal, false);
  }
  assert.is(at(await page.steps(1)), 'dann 3,pada 3');
  await page.change({ classes: [0, 1, 2] }, 'ready');
  const other = await page.load(bytes, 'failed');
  assert.equal([other.text, other.fatal], [ERRORS.otherImages('target', 30, 45), false]);
  assert.is(at(await page.steps(1)), 'dann 4,pada 4');
  const absent = await page.ask({ type: 'save', method: 'source-only', what: 'network' }, 'failed');
  assert.is(absent.text, ERRORS.notARun('source-only'));
});

pageTest('replaces a lost device and continues as if nothing had happened', async (page) => {
  await page.begin();
  await page.steps(5);
  page.loseGpu();
  const lost = await page.ask({ type: 'step' }, 'lost');
  assert.is(page.gpus.length, 2);
  assert.ok(lost.iterations.every(([, iteration]) => iteration <= 5));
  await page.stepPadaTo(8);
  const losses = page.losses();
  const undisturbed = await withPage(async (other) => {
    await other.begin();
    await other.steps(8);
    return other.losses();
  });
  assert.equal(losses, undisturbed);
});

pageTest('gives up after three lost devices, and can restart', async (page) => {
  await page.begin();
  for (let i = 0; i < 2; i++) {
    page.loseGpu();
    await page.ask({ type: 'step' }, 'lost');
  }
  page.loseGpu();
  const { code, fatal } = await page.ask({ type: 'step' }, 'failed');
  assert.equal([code, fatal], ['GPU_LOST', true]);
  await page.begin();
  assert.is(at(await page.steps(1)), 'dann 1,pada 1');
});

pageTest('repeats the number of the settings, and evaluates other digits at once', async (page) => {
  await page.begin();
  const seen = page.next('snapshots');
  assert.is((await page.steps(1)).revision, 1);
  assert.is((await seen).revision, 1);
  const snapshots = page.next('snapshots', ({ revision }) => revision === 2);
  const ready = await page.change({ classes: [2, 3] }, 'ready');
  assert.equal([ready.revision, ready.from, ready.next], [2, 'before', ['progress', 'snapshots']]);
  for (const [, { iteration, evaluation }] of (await snapshots).snapshots) {
    const present = evaluation!.confusion.map((row) => row.reduce((sum, n) => sum + n, 0) > 0);
    assert.equal([iteration, present.slice(0, 4)], [1, [false, false, true, true]]);
  }
  // Settings that are replaced at once are not evaluated.
  const count = page.reports.length;
  page.change({ classes: [1, 2] }, 'ready');
  await page.change({ classes: [0, 1] }, 'snapshots', ({ revision }) => revision === 4);
  assert.not(page.reports.slice(count).some((report) => report.type === 'snapshots' && report.revision === 3));
  // While training runs, only other digits are evaluated at once.
  await page.ask({ type: 'run' }, 'progress');
  assert.equal((await page.change({ classes: [1, 2] }, 'ready')).next, ['progress', 'snapshots']);
  assert.equal((await page.change({ classes: [1, 2], temperature: 1 }, 'ready')).next, ['progress']);
});

pageTest('stops if settings or a restart fail, and can restart', async (page) => {
  await page.begin();
  await page.ask({ type: 'run' }, 'progress');
  // The stripes have four classes.
  const { fatal, running } = await page.change({ classes: [9] }, 'failed');
  assert.equal([fatal, running], [true, false]);
  const huge = { ...settings, batch: 1000 };
  assert.is((await page.ask({ type: 'begin', settings: huge, revision: 3 }, 'failed')).fatal, true);
  await page.begin();
  assert.is(at(await page.steps(1)), 'dann 1,pada 1');
});

pageTest('names a network that returns NaN instead of showing it', async (page) => {
  await page.begin();
  const { tensors } = decodeSafetensors((await page.save('network')).bytes);
  (tensors.get('head.weight')!.data as Float32Array).fill(Number.NaN);
  const named = ERRORS.networkNotFinite('pada', 0);
  assert.is((await page.load(encodeSafetensors(tensors), 'failed')).text, named);
  assert.is((await page.ask({ type: 'draw', pixels: image, drawing: 1 }, 'failed')).text, named);
  const stepped = await page.ask({ type: 'step' }, 'failed');
  assert.match(stepped.text, /PADA became NaN/);
  assert.is(stepped.fatal, false);
  // Other settings cannot help either.
  assert.is((await page.change({ temperature: 1 }, 'failed')).fatal, true);
});

test.run();
