import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { STATUS as LAB_STATUS } from '../../demo/lab/words.ts';
import { ANALYSIS, DRAWING, FILES, NAMES, percent, SCORES, STATUS, UNKNOWN, VERDICT } from '../../demo/page/words.ts';
import { ADVICE, adapterName } from '../../demo/shared/words.ts';
import { openBrowser } from '../../tools/browser/openBrowser.mjs';
import { busyIn, checkDisabled, checkTexts, crashWorker, drawn, press, report, stateTest, visible } from './states.ts';
import { hostedSite, Visitor } from './visitor.ts';

// The page's claims about the GPU, after a change of settings, and after an error.

const site = hostedSite('worker.js');

/** Replaces the page's worker: it keeps its commands, and makes the reports that a test asks for. */
const WORKER = `
const heard = (globalThis.heard = []);
onmessage = ({ data }) => heard.push(data);
const latest = () => heard.findLast(({ settings }) => settings);
globalThis.reports = {
  opened: () => ({ type: 'opened', adapter: { vendor: '', architecture: '', device: 'Some GPU', description: '', software: true } }),
  ready: (from, iteration, ...next) => ({
    ...latest(), type: 'ready', from, next,
    iterations: latest().settings.methods.map((method) => [method, iteration]),
    samples: {
      task: 'digits', classNames: [...'0123456789'], held: latest().settings.classes, shape: [1, 28, 28],
      source: new Uint8Array(12 * 784).fill(90), sourceLabels: new Uint8Array(12),
      target: new Uint8Array(12 * 784).fill(90), targetLabels: new Uint8Array(12),
      pointLabels: new Uint8Array(480).map((_, i) => i % 10), testCount: 1000,
    },
  }),
  progress: (method, iteration, weight) => ({
    type: 'progress', msPerStep: 3, revision: latest().revision,
    runs: [{
      method, iteration,
      rows: [{ iteration: iteration - 1, classLoss: 1, transferLoss: 0.5, classAccuracy: 50, domainAccuracy: 50 }],
      weights: { iteration, classWeight: [1, ...Array(9).fill(weight)], effectiveClasses: 1, entropy: 0, collapsed: false },
    }],
  }),
  snapshots: (iteration, correct, revision = latest().revision) => ({
    type: 'snapshots', revision,
    snapshots: Object.entries(correct).map(([method, n]) => [method, {
      iteration,
      evaluation: {
        accuracy: n / 10, perClass: [], count: 1000,
        confusion: Array.from({ length: 10 }, (_, row) => Array.from({ length: 10 }, (_, c) => row ? 0 : c ? (c === 9) * (1000 - n) : n)),
      },
      points: new Float32Array(960).map((_, i) => i % 31),
      probabilities: new Float32Array(120).fill(0.1),
    }]),
  }),
  analyses: () => ({
    type: 'analyses', revision: latest().revision,
    analyses: latest().settings.methods.map((method, i) => [method, {
      iteration: 40, aDistance: i, sources: 10, points: new Float32Array(40).map((_, k) => k % 7),
      labels: Array(20).fill(2), predictions: Array(20).fill(3), source: { accuracy: 50, perClass: Array(10).fill(50) },
      target: { accuracy: 90, perClass: [90, ...Array(9).fill(NaN)] },
      mistakes: Array(12).fill({ pixels: new Uint8Array(784).fill(90), name: null, truth: 2, prediction: 3, probability: 0.98 }),
    }]),
  }),
  answers: (digit) => ({
    ...heard.findLast(({ type }) => type === 'draw'), type: 'answers', revision: latest().revision,
    answers: latest().settings.methods.map((method) => [method, new Float32Array(10).map((_, i) => i === digit)]),
  }),
  stopped: (iteration) => ({ type: 'stopped', iteration, why: 'asked' }),
  failed: (text, fatal, code = '') => ({ type: 'failed', code, text, fatal, running: false }),
};
`;

const OF_SNAPSHOTS = ['scores', 'verdict', 'accuracy', 'features', 'strip', 'confusion'];
const AWAITED = [...OF_SNAPSHOTS, 'weights'];
const FIGURES = '#scores .figure';
const SCORED = { dann: 612, pada: 934 };
const NO_SCORES = [UNKNOWN, UNKNOWN];
const digit = (n: number) => `#digits [data-item="${n}"]`;

/** Opens the page with two runs that were evaluated after 40 iterations. */
const trained = (mode: 'running' | 'paused') => async (): Promise<Visitor> => {
  const visitor = await Visitor.open(site, `#run=${Number(mode === 'running')}`, { worker: () => WORKER });
  const { page } = visitor;
  await report(page, 'opened');
  await report(page, 'ready', 'start', 0);
  for (const iteration of [10, 20, 30, 40]) {
    for (const method of ['dann', 'pada'])
      await report(page, 'progress', method, iteration, method === 'pada' ? 0.4 : 1);
    await report(page, 'snapshots', iteration, SCORED);
  }
  assert.equal(await visitor.texts(FIGURES), ['61.2\u00a0%', '93.4\u00a0%']);
  assert.equal(await busyIn(page, AWAITED), []);
  return visitor;
};

const SCRIPTS = {
  none: 'GPU.prototype.requestAdapter = async () => null;',
  software: '',
  hardware: `Object.defineProperty(GPUAdapter.prototype, 'info', { get: () => ({ vendor: 'maker', architecture: 'arch' }) });`,
};
const NAMED = { none: /^no GPU$/, software: /swiftshader/i, hardware: /^maker arch$/ };
// Elements that depend on the adapter, and which of them must be visible.
const SHOWN = { none: ['notice'], software: ['software'], hardware: [] };
const HIDDEN = { '': ['software', 'notice', 'nib'], 'lab/': ['software', 'notice', 'ladder'] };

for (const kind of ['none', 'software', 'hardware'] as const)
  for (const [path, hidden] of Object.entries(HIDDEN))
    test(`${path || 'the page'} with ${kind} adapter claims no more than it knows`, async () => {
      // In a browser of its own, because a worker that still compiles would delay the next one.
      const browser = await openBrowser();
      try {
        const visitor = await Visitor.open({ ...site, browser }, `${path}#run=0&methods=dann&batch=2`, {
          worker: (text) => SCRIPTS[kind] + text,
        });
        const { page } = visitor;
        const awaited = adapterName(undefined);
        const early = await page.evaluate(
          () =>
            [
              document.querySelector('#adapter')!.textContent,
              document.querySelector('#software')!.checkVisibility(),
            ] as const,
        );
        if (early[0] === awaited) assert.is(early[1], false);
        await visitor.changed('#adapter', [awaited]);
        await drawn(page);
        assert.match(await visitor.text('adapter'), NAMED[kind]);
        assert.equal(await visible(page, hidden), SHOWN[kind]);
        if (kind === 'none')
          await checkTexts(visitor, { notice: ADVICE.NO_ADAPTER!, status: path ? LAB_STATUS.noGpu : STATUS.noGpu });
        await visitor.check();
      } finally {
        await browser.close();
      }
    });

const withoutWebgpu = (path: string) => () => Visitor.open(site, `${path}#digits=7`, { webgpu: false });

stateTest('the page without WebGPU starts nothing, and still shares settings', withoutWebgpu(''), async (visitor) => {
  const { page } = visitor;
  await drawn(page);
  assert.equal([await visible(page, ['software', 'notice']), page.workers().length], [['notice'], 0]);
  await checkTexts(visitor, { adapter: adapterName(null), notice: ADVICE.NO_WEBGPU!, held: 'only 7' });
  await checkDisabled(page, ['start', 'step', 'reset', 'csv', 'example']);
  await press(page, digit(8));
  assert.match(page.url(), /digits=78/);
  await checkTexts(visitor, { held: /^only 7–\W?8$/, status: STATUS.noGpu });
  assert.equal(await busyIn(page, [...AWAITED, 'answers']), []);
  await visitor.check();
});

stateTest('the lab without WebGPU starts nothing', withoutWebgpu('lab/'), async (visitor) => {
  const { page } = visitor;
  await drawn(page);
  assert.equal([await visible(page, ['software', 'notice']), page.workers().length], [['notice'], 0]);
  await checkTexts(visitor, { adapter: adapterName(null), notice: ADVICE.NO_WEBGPU!, status: LAB_STATUS.noGpu });
  await checkDisabled(page, ['run', 'reset', 'share', 'bench']);
  await visitor.check();
});

stateTest('hidden elements are not displayed, whatever their class', trained('paused'), async ({ page }) => {
  await page.evaluate(() => {
    for (const node of document.querySelectorAll('body *')) (node as HTMLElement).hidden = true;
  });
  assert.ok((await page.locator('body *').count()) > 300);
});

stateTest('other digits show at once, and awaited results are marked', trained('paused'), async (visitor) => {
  const { page } = visitor;
  const ranked = VERDICT.ranked(40, [
    { method: 'pada', accuracy: 93.4 },
    { method: 'dann', accuracy: 61.2 },
  ]);
  await checkTexts(visitor, { verdict: ranked + VERDICT.misreads('dann', 38.8), held: /^only 0–\W?4$/ });
  assert.is((await visitor.texts('#accuracy .legend span')).length, 3);
  await press(page, digit(7));
  // The worker has not answered yet.
  await checkTexts(visitor, { held: /, 7$/, verdict: '', status: STATUS.applying, 'dann-effect': /5, 6, 8 or 9/ });
  assert.equal(await visitor.texts('#weights [data-method="pada"] .absent b'), ['5', '6', '8', '9']);
  assert.ok(await page.locator('#confusion [data-method="pada"] tbody tr').nth(7).isVisible());
  assert.equal(await visitor.texts(FIGURES), NO_SCORES);
  assert.equal(await visitor.texts('#scores .note'), [SCORES.waiting, SCORES.waiting]);
  // The recorded reference is for other digits.
  assert.equal(await visitor.texts('#accuracy .legend span'), ['DANN', 'PADA']);
  assert.equal(await busyIn(page, AWAITED), AWAITED);
  assert.is(await page.locator('#weights [data-method="dann"]').getAttribute('aria-busy'), 'false');
  await checkDisabled(page, ['example']);
  assert.ok(await page.getByRole('button', { name: FILES.network.label('pada') }).isDisabled());
  await page.waitForTimeout(500);
  for (const host of ['#scores .column', '#strip', '#weights [data-method="pada"]']) {
    const opacity = (node: Element) => Number(getComputedStyle(node).opacity);
    assert.ok((await page.locator(host).first().evaluate(opacity)) < 0.5, host);
  }
  await visitor.checkTexts();
  // A snapshot of the old digits comes late.
  await report(page, 'snapshots', 41, SCORED, 1);
  assert.equal(await visitor.texts(FIGURES), NO_SCORES);
  await report(page, 'ready', 'before', 40, 'progress', 'snapshots');
  assert.equal(await busyIn(page, AWAITED), AWAITED);
  await checkTexts(visitor, { status: STATUS.changed('digits', [0, 1, 2, 3, 4, 7], 0.1) });
  await report(page, 'progress', 'pada', 40, 0.2);
  assert.equal(await busyIn(page, AWAITED), OF_SNAPSHOTS);
  await report(page, 'snapshots', 40, { dann: 700, pada: 800 });
  assert.equal(await busyIn(page, AWAITED), []);
  assert.equal(await visitor.texts(FIGURES), ['70.0\u00a0%', '80.0\u00a0%']);
  await checkTexts(visitor, { verdict: VERDICT.early(40) });
  await visitor.check();
});

stateTest('another method has its column at once, and only that column waits', trained('running'), async (visitor) => {
  const { page } = visitor;
  await press(page, '#methods [data-item="source-only"]');
  assert.equal(await visitor.texts('#scores h3'), [NAMES['source-only'], 'DANN', 'PADA']);
  assert.equal(await visitor.texts(FIGURES), [UNKNOWN, '61.2\u00a0%', '93.4\u00a0%']);
  const marks = await page.locator('#scores .column').evaluateAll((all) => all.map((one) => one.ariaBusy));
  assert.equal(marks, ['true', 'false', 'false']);
  await checkTexts(visitor, { verdict: '' });
  await press(page, '#methods [data-item="source-only"]');
  assert.equal(await visitor.texts(FIGURES), ['61.2\u00a0%', '93.4\u00a0%']);
  assert.equal(await visible(page, ['threshold', 'labelling']), []);
  await press(page, '#methods [data-item="self-training"]');
  assert.equal(await visible(page, ['threshold', 'labelling']), ['threshold', 'labelling']);
  assert.is(await page.inputValue('#threshold'), '0.99');
});

stateTest('an analysis stays until other digits are chosen, and fits a phone', trained('paused'), async (visitor) => {
  const { page } = visitor;
  const notes = () => visitor.texts('#analysis .column > .note');
  await press(page, '#analyse');
  await checkDisabled(page, ['analyse']);
  await checkTexts(visitor, { status: STATUS.analysing('dann', 0) });
  await page.locator('#analysis .column').first().waitFor();
  await report(page, 'analyses');
  await checkTexts(visitor, { status: STATUS.analysed });
  assert.equal(await notes(), [ANALYSIS.aDistance(0, 40), ANALYSIS.aDistance(1, 40)]);
  assert.equal((await visitor.texts('#analysis [data-method="pada"] tr'))[1], `0${percent(90)}${percent(50)}`);
  assert.equal([...new Set(await visitor.texts('#analysis .tiles b'))], [ANALYSIS.mistake('2', '3')]);
  await visitor.checkNames();
  await visitor.checkPhone();
  await press(page, digit(7));
  assert.equal(await notes(), ['', '']);
  await report(page, 'ready', 'before', 40);
  await visitor.enabled('analyse');
});

stateTest('a restart shows empty runs at once', trained('running'), async (visitor) => {
  const { page } = visitor;
  await press(page, '#reset');
  await checkTexts(visitor, { iteration: '0', 'speed-now': UNKNOWN, verdict: '' });
  assert.equal(await visitor.texts(FIGURES), NO_SCORES);
  assert.equal([...new Set(await visitor.texts('#weights .value'))], ['1']);
  await checkDisabled(page, ['csv']);
  assert.not.match((await page.locator('#accuracy .plot').getAttribute('aria-label'))!, /DANN|PADA/);
  await report(page, 'snapshots', 41, SCORED, 1);
  assert.equal(await visitor.texts(FIGURES), NO_SCORES);
});

stateTest('the status names the iteration that the worker paused at', trained('running'), async (visitor) => {
  const { page } = visitor;
  await press(page, '#start');
  await checkTexts(visitor, { status: STATUS.pausedAt(40) });
  await report(page, 'stopped', 41);
  await checkTexts(visitor, { status: STATUS.pausedAt(41) });
  await press(page, '#step');
  await checkTexts(visitor, { status: STATUS.oneStep });
  await report(page, 'stopped', 42);
  await checkTexts(visitor, { status: STATUS.pausedAt(42) });
});

stateTest(
  'an answer to an earlier drawing is marked, and none is kept for a cleared sheet',
  trained('paused'),
  async (visitor) => {
    const { page } = visitor;
    const answers = async () => [await busyIn(page, ['answers']), ...(await visitor.texts('.said'))];
    await press(page, '#example');
    assert.equal(await answers(), [['answers'], DRAWING.none, DRAWING.none]);
    await report(page, 'answers', 3);
    assert.equal(await answers(), [[], DRAWING.sees(3), DRAWING.sees(3)]);
    await press(page, '#example');
    assert.equal(await busyIn(page, ['answers']), ['answers']);
    await press(page, '#clear');
    assert.equal(await visitor.texts('.said'), [DRAWING.none, DRAWING.none]);
  },
);

stateTest('nothing looks alive after a fatal error', trained('running'), async (visitor) => {
  const { page } = visitor;
  await press(page, '#example');
  await report(page, 'answers', 3);
  await press(page, digit(7));
  await report(page, 'failed', 'the kernel softmax is refused', true, 'KERNEL');
  await checkTexts(visitor, { status: STATUS.stopped, notice: 'the kernel softmax is refused' });
  assert.equal(await visible(page, ['notice']), ['notice']);
  assert.equal(await busyIn(page, [...AWAITED, 'answers']), []);
  await checkDisabled(page, ['start', 'step', 'example']);
  assert.equal(await page.locator('#files button:not(:disabled)').count(), 0);
  assert.equal(await visitor.texts('.said'), [DRAWING.noNetwork, DRAWING.noNetwork]);
  assert.equal(await visitor.texts('#scores .note'), [SCORES.none, SCORES.none]);
  assert.is(await page.locator('#strip table').count(), 0);
  // Other digits can still be selected, but nothing claims to train.
  await press(page, digit(8));
  await checkTexts(visitor, { held: /, 7–\W?8$/, status: STATUS.stopped });
  assert.equal(await visible(page, ['notice']), ['notice']);
  await visitor.checkTexts();
  await page.click('#reset');
  await report(page, 'ready', 'start', 0);
  assert.equal(await visible(page, ['notice']), []);
  await checkTexts(visitor, { status: STATUS.training });
});

stateTest(
  'an error that the worker does not report is shown, and a restart replaces the worker',
  trained('running'),
  async (visitor) => {
    const { page } = visitor;
    await crashWorker(visitor, 'notice');
    await checkTexts(visitor, { status: STATUS.stopped });
    await checkDisabled(page, ['start']);
    await page.click('#reset');
    await visitor.says('status', STATUS.restarting);
    await report(page, 'ready', 'start', 0);
    await checkTexts(visitor, { status: STATUS.training });
  },
);

stateTest(
  'an error in training names the iteration, and its notice goes when training continues',
  trained('running'),
  async (visitor) => {
    const { page } = visitor;
    await report(page, 'failed', 'the loss is not finite', false);
    await checkTexts(visitor, { status: STATUS.stoppedAt(40) });
    assert.equal(await visible(page, ['notice']), ['notice']);
    await press(page, '#start');
    assert.equal(await visible(page, ['notice']), []);
  },
);

stateTest('an error of the page itself is shown', trained('paused'), async (visitor) => {
  await visitor.page.evaluate(() => void setTimeout(() => Promise.reject(new Error('a view is missing'))));
  await visitor.says('notice', 'a view is missing');
  assert.equal(await visible(visitor.page, ['notice']), ['notice']);
});

stateTest(
  'reports do not disturb a number that is being typed, or a slider that is moving',
  trained('running'),
  async (visitor) => {
    const { page } = visitor;
    await page.locator('#seed').focus();
    await page.keyboard.press('Control+A');
    await page.keyboard.type('12');
    await report(page, 'progress', 'dann', 42, 1);
    await page.keyboard.type('3');
    await report(page, 'progress', 'dann', 43, 1);
    assert.is(await page.inputValue('#seed'), '123');
    await page.locator('#temperature').focus();
    assert.match(page.url(), /seed=123/);
    await report(page, 'ready', 'start', 0);
    const before = await visitor.text('temperature-value');
    await page.keyboard.press('PageUp');
    await report(page, 'progress', 'dann', 1, 1);
    await page.waitForTimeout(400);
    assert.is.not(await visitor.text('temperature-value'), before);
    assert.match(page.url(), /temperature=/);
    // A number out of range moves into it.
    await page.fill('#updateSteps', '100000');
    await page.keyboard.press('Tab');
    await drawn(page);
    assert.is(await page.inputValue('#updateSteps'), '1000');
  },
);

test.run();
