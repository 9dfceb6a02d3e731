import type { Browser } from 'playwright-core';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openBrowser } from '../../tools/browser/openBrowser.mjs';
import { busyIn, shown, tell, visible } from './states.ts';
import { host, Visitor } from './visitor.ts';

// The page's claims about the GPU, after a choice and after an error. Only the adapters are found by the real workers.

let browser: Browser;
let address: string;
let close: (() => Promise<void>) | undefined;

test.before(async () => {
  ({ browser, address, close } = await host('worker.js'));
});
test.after(() => close?.());

/** The page's worker: keeps what it hears, and makes the reports that a test asks for. */
const TRAINER = `
const heard = [];
onmessage = ({ data }) => heard.push(data);
const latest = () => heard.findLast(({ settings }) => settings);
globalThis.reports = {
  opened: () => ({ type: 'opened', adapter: { vendor: '', architecture: '', device: 'Some GPU', description: '', software: true } }),
  ready: (from, iteration, ...next) => ({
    ...latest(), type: 'ready', from, next,
    iterations: latest().settings.methods.map((method) => [method, iteration]),
    samples: {
      strip: new Uint8Array(12 * 784).fill(90),
      stripLabels: new Uint8Array(12),
      pointLabels: new Uint8Array(480).map((_, i) => i % 10),
      targetCount: 100, testCount: 1000,
    },
  }),
  progress: (method, iteration, weight) => ({
    type: 'progress', msPerStep: 3, revision: latest().revision,
    figures: [{
      method, iteration,
      rows: [{ iteration: iteration - 1, classLoss: 1, transferLoss: 0.5, classAccuracy: 50, domainAccuracy: 50 }],
      weights: { iteration, classWeight: [1, ...Array(9).fill(weight)], effectiveClasses: 1, entropy: 0, collapsed: false },
    }],
  }),
  looks: (iteration, correct, revision = latest().revision) => ({
    type: 'looks', revision,
    looks: Object.entries(correct).map(([method, n]) => [method, {
      iteration,
      evaluation: {
        accuracy: n / 10, perClass: [], count: 1000,
        confusion: Array.from({ length: 10 }, (_, row) => Array.from({ length: 10 }, (_, c) => row ? 0 : c ? (c === 9) * (1000 - n) : n)),
      },
      points: new Float32Array(960).map((_, i) => i % 31),
      probabilities: new Float32Array(120).fill(0.1),
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

const OF_LOOKS = ['scores', 'verdict', 'accuracy', 'features', 'strip', 'confusion'];

/** The page with two trainings that were looked at after 40 iterations. */
async function trained(mode: 'running' | 'paused' = 'paused'): Promise<Visitor> {
  const visitor = await Visitor.open(browser, `${address}#run=${Number(mode === 'running')}`, {
    worker: () => TRAINER,
  });
  const { page } = visitor;
  for (const report of [['opened'], ['ready', 'start', 0]]) await tell(page, ...(report as [string]));
  for (const iteration of [10, 20, 30, 40]) {
    for (const method of ['dann', 'pada']) await tell(page, 'progress', method, iteration, method === 'pada' ? 0.4 : 1);
    await tell(page, 'looks', iteration, { dann: 612, pada: 934 });
  }
  assert.equal(await visitor.texts('#scores .figure'), ['61.2\u00a0%', '93.4\u00a0%']);
  assert.equal(await busyIn(page, [...OF_LOOKS, 'weights']), []);
  return visitor;
}

// The first two are what a worker has in the way of adapters, the last what it says of one.
const ADAPTERS = {
  none: { script: 'GPU.prototype.requestAdapter = async () => null;', badge: false, name: /^no GPU at all$/ },
  software: { script: '', badge: true, name: /swiftshader/i },
  hardware: {
    script: `Object.defineProperty(GPUAdapter.prototype, 'info', { get: () => ({ vendor: 'maker', architecture: 'arch' }) });`,
    badge: false,
    name: /^maker arch$/,
  },
};

for (const [kind, { script, badge, name }] of Object.entries(ADAPTERS)) {
  for (const [path, hidden] of Object.entries({
    '': ['software', 'notice', 'nib'],
    'lab/': ['software', 'notice', 'ladder'],
  })) {
    test(`${kind} adapter: ${path || 'the page'} shows what is so, and nothing else`, async () => {
      // A browser of its own: what a worker has begun to compile would keep the next one waiting.
      const own = await openBrowser();
      try {
        const visitor = await Visitor.open(own, `${address}${path}#run=0&methods=dann&batch=2`, {
          worker: (text) => script + text,
        });
        const { page } = visitor;
        // Before there is an answer, nothing is claimed.
        const early = await page.evaluate(
          () =>
            [
              document.querySelector('#adapter')!.textContent,
              document.querySelector('#software')!.checkVisibility(),
            ] as const,
        );
        if (early[0] === 'a GPU to be found') assert.is(early[1], false);
        await page.waitForFunction(
          () => document.querySelector('#adapter')!.textContent !== 'a GPU to be found',
          null,
          {
            timeout: 180_000,
          },
        );
        await shown(page);
        assert.match(await visitor.text('adapter'), name);
        const wanted = [...(badge ? ['software'] : []), ...(kind === 'none' ? ['notice'] : [])];
        assert.equal(await visible(page, hidden), wanted);
        await visitor.sound();
        if (kind === 'none') {
          assert.match(await visitor.text('notice'), /no graphics adapter/);
          assert.match(await visitor.text('status'), /^Nothing can be (trained|run) here\.$/);
        }
        visitor.calm();
      } finally {
        await own.close();
      }
    });
  }
}

for (const path of ['', 'lab/']) {
  test(`without WebGPU ${path || 'the page'} says so, and nothing can be started`, async () => {
    const visitor = await Visitor.open(browser, `${address}${path}#digits=7`, { webgpu: false });
    const { page } = visitor;
    await shown(page);
    assert.equal(await visible(page, ['software', 'notice']), ['notice']);
    assert.is(await visitor.text('adapter'), 'no GPU at all');
    assert.is(page.workers().length, 0);
    const main = path ? ['run', 'reset', 'share', 'bench'] : ['start', 'step', 'reset', 'csv', 'example'];
    for (const id of main) assert.ok(await page.locator(`#${id}`).isDisabled(), id);
    await visitor.sound();
    if (!path) {
      // The choices are those of the address, and can be changed to be sent to someone with a GPU.
      assert.is(await visitor.text('held'), 'only 7');
      await page.locator('#digits [data-item="8"]').click();
      await shown(page);
      assert.match(await visitor.text('held'), /^only 7–\W?8$/);
      assert.match(page.url(), /digits=78/);
      assert.is(await visitor.text('status'), 'Nothing can be trained here.');
      assert.equal(await busyIn(page, [...OF_LOOKS, 'weights', 'answers']), []);
    }
    visitor.calm();
    await visitor.leave();
  });
}

test('everything that is hidden is not displayed, whatever its class says', async () => {
  const visitor = await trained();
  const { page } = visitor;
  await page.evaluate(() => {
    for (const node of document.querySelectorAll('body *')) (node as HTMLElement).hidden = true;
  });
  assert.ok((await page.locator('body *').count()) > 300);
  await visitor.sound();
  await visitor.leave();
});

test('a choice of digits shows at once, and what waits for the worker is marked', async () => {
  const visitor = await trained();
  const { page } = visitor;
  assert.match(await visitor.text('verdict'), /^After 40 iterations PADA reads 93\.4/);
  await page.locator('#digits [data-item="7"]').click();
  await shown(page);
  // The worker has not answered.
  assert.match(await visitor.text('held'), /, 7$/);
  const absent = '#weights [data-method="pada"] .absent b';
  assert.equal(await visitor.texts(absent), ['5', '6', '8', '9']);
  assert.ok(await page.locator('#confusion [data-method="pada"] tbody tr').nth(7).isVisible());
  assert.equal(await visitor.texts('#scores .figure'), ['–', '–']);
  assert.equal(await visitor.texts('#scores .note'), new Array(2).fill('Waiting for the test images.'));
  assert.is(await visitor.text('verdict'), '');
  assert.equal(await busyIn(page, [...OF_LOOKS, 'weights']), [...OF_LOOKS, 'weights']);
  assert.is(await page.locator('#weights [data-method="dann"]').getAttribute('aria-busy'), 'false');
  assert.ok(await page.locator('#example').isDisabled());
  assert.ok(await page.getByRole('button', { name: 'Save the network of PADA alone' }).isDisabled());
  assert.is(await visitor.text('status'), 'Changing the trainings.');
  await page.waitForTimeout(500);
  for (const host of ['#scores .column', '#strip', '#weights [data-method="pada"]'])
    assert.ok(
      await page
        .locator(host)
        .first()
        .evaluate((node) => Number(getComputedStyle(node).opacity) < 0.5),
      host,
    );
  await visitor.sound();
  // A look at the old digits comes late.
  await tell(page, 'looks', 41, { dann: 612, pada: 934 }, 1);
  assert.equal(await visitor.texts('#scores .figure'), ['–', '–']);
  await tell(page, 'ready', 'before', 40, 'progress', 'looks');
  assert.equal(await busyIn(page, [...OF_LOOKS, 'weights']), [...OF_LOOKS, 'weights']);
  assert.match(await visitor.text('status'), /^From now on: handwriting of 0–\W?4, 7, temperature/);
  await tell(page, 'progress', 'pada', 40, 0.2);
  assert.equal(await busyIn(page, [...OF_LOOKS, 'weights']), OF_LOOKS);
  await tell(page, 'looks', 40, { dann: 700, pada: 800 });
  assert.equal(await busyIn(page, [...OF_LOOKS, 'weights']), []);
  assert.equal(await visitor.texts('#scores .figure'), ['70.0\u00a0%', '80.0\u00a0%']);
  assert.is(await visitor.text('verdict'), 'After 40 iterations it is too early to compare.');
  await visitor.sound();
  visitor.calm();
  await visitor.leave();
});

test('the curve of other digits has no reference of these', async () => {
  const visitor = await trained();
  const legend = '#accuracy .legend span';
  assert.is((await visitor.texts(legend)).length, 3);
  await visitor.page.locator('#digits [data-item="7"]').click();
  await shown(visitor.page);
  assert.equal(await visitor.texts(legend), ['DANN', 'PADA']);
  await visitor.leave();
});

test('another training has its column at once, which waits, and the others do not', async () => {
  const visitor = await trained('running');
  const { page } = visitor;
  await page.locator('#methods [data-item="source-only"]').click();
  await shown(page);
  assert.equal(await visitor.texts('#scores h3'), ['Print alone', 'DANN', 'PADA']);
  assert.equal(await visitor.texts('#scores .figure'), ['–', '61.2\u00a0%', '93.4\u00a0%']);
  const marks = await page.locator('#scores .column').evaluateAll((all) => all.map((one) => one.ariaBusy));
  assert.equal(marks, ['true', 'false', 'false']);
  assert.is(await visitor.text('verdict'), '');
  await page.locator('#methods [data-item="source-only"]').click();
  await shown(page);
  assert.equal(await visitor.texts('#scores .figure'), ['61.2\u00a0%', '93.4\u00a0%']);
  await visitor.sound();
  await visitor.leave();
});

test('starting over shows empty trainings at once', async () => {
  const visitor = await trained('running');
  const { page } = visitor;
  await page.click('#reset');
  await shown(page);
  assert.equal([await visitor.text('iteration'), await visitor.text('speed-now')], ['0', '–']);
  assert.equal(await visitor.texts('#scores .figure'), ['–', '–']);
  assert.is(await visitor.text('verdict'), '');
  assert.equal([...new Set(await visitor.texts('#weights .value'))], ['1']);
  assert.ok(await page.locator('#csv').isDisabled());
  assert.not.match((await page.locator('#accuracy .plot').getAttribute('aria-label'))!, /DANN|PADA/);
  await tell(page, 'looks', 41, { dann: 612, pada: 934 }, 1);
  assert.equal(await visitor.texts('#scores .figure'), ['–', '–']);
  await visitor.sound();
  await visitor.leave();
});

test('paused, the status names the iteration that the worker stopped after', async () => {
  const visitor = await trained('running');
  const { page } = visitor;
  await page.click('#start');
  assert.is(await visitor.text('status'), 'Paused after iteration 40.');
  await tell(page, 'stopped', 41);
  assert.is(await visitor.text('status'), 'Paused after iteration 41.');
  await page.click('#step');
  assert.is(await visitor.text('status'), 'One iteration more.');
  await tell(page, 'stopped', 42);
  assert.is(await visitor.text('status'), 'Paused after iteration 42.');
  await visitor.leave();
});

test('an answer to an earlier drawing is marked, and one to a sheet that was cleared is dropped', async () => {
  const visitor = await trained();
  const { page } = visitor;
  await page.click('#example');
  await shown(page);
  assert.equal(await busyIn(page, ['answers']), ['answers']);
  await tell(page, 'answers', 3);
  assert.equal([await busyIn(page, ['answers']), await visitor.texts('.said')], [[], ['sees a 3', 'sees a 3']]);
  await page.click('#example');
  await shown(page);
  assert.equal(await busyIn(page, ['answers']), ['answers']);
  await page.click('#clear');
  await shown(page);
  assert.equal(await visitor.texts('.said'), ['sees nothing yet', 'sees nothing yet']);
  await visitor.sound();
  await visitor.leave();
});

test('after a fatal error nothing looks alive', async () => {
  const visitor = await trained('running');
  const { page } = visitor;
  await page.click('#example');
  await tell(page, 'answers', 3);
  await page.locator('#digits [data-item="7"]').click();
  await tell(page, 'failed', 'the kernel softmax is refused', true, 'KERNEL');
  assert.equal(
    [await visitor.text('status'), await visitor.text('notice')],
    ['Nothing is trained now.', 'the kernel softmax is refused'],
  );
  assert.equal(await visible(page, ['notice']), ['notice']);
  assert.equal(await busyIn(page, [...OF_LOOKS, 'weights', 'answers']), []);
  for (const id of ['start', 'step', 'example']) assert.ok(await page.locator(`#${id}`).isDisabled(), id);
  assert.equal(await page.locator('#files button:not(:disabled)').count(), 0);
  assert.equal(await visitor.texts('.said'), ['is not there to ask', 'is not there to ask']);
  assert.equal(await visitor.texts('#scores .note'), ['Not tested yet.', 'Not tested yet.']);
  assert.is(await page.locator('#strip table').count(), 0);
  // A choice changes what would be trained, and claims no more.
  await page.locator('#digits [data-item="8"]').click();
  await shown(page);
  assert.match(await visitor.text('held'), /, 7–\W?8$/);
  assert.is(await visitor.text('status'), 'Nothing is trained now.');
  assert.equal(await visible(page, ['notice']), ['notice']);
  await visitor.sound();
  await page.click('#reset');
  await tell(page, 'ready', 'start', 0);
  assert.equal(await visible(page, ['notice']), []);
  assert.is(await visitor.text('status'), 'Training.');
  await visitor.leave();
});

test('an error that the worker does not report itself is shown, and starting over gets another worker', async () => {
  const visitor = await trained('running');
  const { page } = visitor;
  await page.workers()[0]!.evaluate(
    () =>
      void setTimeout(() => {
        throw new Error('out of ink');
      }),
  );
  await page.waitForFunction(() => document.querySelector('#notice')!.textContent!.includes('out of ink'));
  await shown(page);
  assert.is(await visitor.text('status'), 'Nothing is trained now.');
  assert.ok(await page.locator('#start').isDisabled());
  await page.click('#reset');
  await page.waitForFunction(() => document.querySelector('#status')!.textContent === 'Starting over.');
  await tell(page, 'ready', 'start', 0);
  assert.is(await visitor.text('status'), 'Training.');
  await visitor.leave();
});

test('a failure after which training could go on says where it stopped, and its notice goes when it does', async () => {
  const visitor = await trained('running');
  const { page } = visitor;
  await tell(page, 'failed', 'class loss of pada became NaN', false);
  assert.is(await visitor.text('status'), 'Stopped after iteration 40.');
  assert.equal(await visible(page, ['notice']), ['notice']);
  await page.click('#start');
  await shown(page);
  assert.equal(await visible(page, ['notice']), []);
  await visitor.leave();
});

test('an error of the page itself is shown', async () => {
  const visitor = await trained();
  await visitor.page.evaluate(() => void setTimeout(() => Promise.reject(new Error('a view is gone'))));
  await visitor.page.waitForFunction(() => document.querySelector('#notice')!.textContent!.includes('a view is gone'));
  assert.equal(await visible(visitor.page, ['notice']), ['notice']);
  await visitor.leave();
});

test('what is typed or slid outlives the reports that come meanwhile', async () => {
  const visitor = await trained('running');
  const { page } = visitor;
  await page.locator('#seed').focus();
  await page.keyboard.press('Control+A');
  await page.keyboard.type('12');
  await tell(page, 'progress', 'dann', 42, 1);
  await page.keyboard.type('3');
  await tell(page, 'progress', 'dann', 43, 1);
  assert.is(await page.inputValue('#seed'), '123');
  await page.locator('#temperature').focus();
  assert.match(page.url(), /seed=123/);
  await tell(page, 'ready', 'start', 0);
  const before = await visitor.text('temperature-value');
  await page.keyboard.press('PageUp');
  await tell(page, 'progress', 'dann', 1, 1);
  await page.waitForTimeout(400);
  assert.is.not(await visitor.text('temperature-value'), before);
  assert.match(page.url(), /temperature=/);
  // A number out of range is shown as what is taken for it.
  await page.fill('#updateSteps', '100000');
  await page.keyboard.press('Tab');
  await shown(page);
  assert.is(await page.inputValue('#updateSteps'), '1000');
  await visitor.leave();
});

test.run();
