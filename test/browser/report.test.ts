import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { curvesOf, htmlReport, type ReportData } from '../../src/cli/run/htmlReport.ts';
import { openBrowser } from '../../tools/browser/openBrowser.mjs';

// report.html of a training run, opened as a file.

const folder = mkdtempSync(join(tmpdir(), 'padagrad-report-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

// Names that would change the page or request something if they became HTML.
const HOSTILE = '</script><img src="https://example.invalid/x.png" onerror="document.title=1">';
const CLASSES = ['cat', HOSTILE, 'dog'];
const figures = { classWeight: [1, 0.4, 0.02], effectiveClasses: 1.8, entropy: 0.7, collapsed: false };
const evaluation = {
  accuracy: 75,
  perClass: [50, 100, Number.NaN],
  confusion: [
    [1, 1, 0],
    [0, 2, 0],
    [0, 0, 0],
  ],
  count: 4,
};
const rows = [0, 1, 2, 3].flatMap((iteration) => [
  ...[{ event: 'iteration', iteration, classLoss: 2 - iteration / 4, transferLoss: 0.7 }],
  ...[{ event: 'evaluation', iteration: iteration + 1, target: evaluation }],
  ...[{ event: 'classWeight', iteration: iteration + 1, ...figures }],
]);
const data: ReportData = {
  padagrad: '0.1.0',
  source: 'folder:shop',
  target: 'folder:phone',
  device: 'a test adapter',
  settings: { '--iterations': '4', '--source': 'folder:shop' },
  classNames: CLASSES,
  targetClasses: [0, 1],
  result: {
    ...{ method: 'pada', seed: 3, iterations: 4, targetAccuracy: 75, sourceAccuracy: null, ...figures },
    ...{ secondsPerIteration: 0.05, seconds: 2, secondsToFirstStep: 1, aborted: false, target: evaluation },
  },
  ...curvesOf(rows.map((row) => ({ classAccuracy: 50, domainAccuracy: null, ...row }))),
  images: {
    ...{ title: 'the target test set', channels: 3, height: 1, width: 2 },
    pixels: Buffer.from([255, 0, 0, 128, 9, 7, 1, 2, 3, 4, 5, 6]).toString('base64'),
    predictions: [
      { label: 0, probability: 0.9, truth: 0, name: 'a.png' },
      { label: 1, probability: 0.6, truth: 0, name: HOSTILE },
    ],
  },
  analysis: {
    aDistance: 1.25,
    points: { sources: 2, x: [0, 1, 2], y: [3, 1, 2], label: [0, 1, null], prediction: [0, 1, 1] },
    ...{ source: null, target: evaluation, mistakes: null },
  },
};

test('report.html shows a run: no error, no request, no text that becomes HTML', async () => {
  const file = join(folder, 'report.html');
  writeFileSync(file, htmlReport(data));
  const browser = await openBrowser({ webgpu: false });
  try {
    const page = await (await browser.newContext()).newPage();
    const faults: string[] = [];
    page.on('console', (message) => faults.push(message.text()));
    page.on('pageerror', (error) => faults.push(error.message));
    const requests: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    const address = pathToFileURL(file).href;
    await page.goto(address);
    assert.equal(await page.locator('h2').allTextContents(), [
      ...['Losses', 'Accuracy', 'Class weights', 'Accuracy per class, target test set'],
      ...['Predictions for the target test set', 'Features of both domains', 'Settings'],
    ]);
    // An image that is not well-formed has no size.
    const maps = page.locator('.maps img');
    assert.equal(
      await maps.evaluateAll((all) => all.map((map) => (map as HTMLImageElement).naturalWidth)),
      [640, 640, 640],
    );
    assert.is(await page.locator('h1').textContent(), 'PADA: folder:shop to folder:phone');
    assert.equal(await page.locator('.legend').allTextContents(), [
      'class losstransfer loss',
      'source batchestarget test set',
      `cat${HOSTILE}dog (absent)`,
    ]);
    assert.equal(await page.locator('.confusion tbody tr').allTextContents(), ['cat50.0 %211', `${HOSTILE}100.0 %22`]);
    assert.equal(await page.locator('.grid figcaption').allTextContents(), ['cat90.0 %', `${HOSTILE}60.0 %`]);
    assert.is(await page.locator('.grid .wrong').getAttribute('title'), `${HOSTILE} is cat`);
    assert.is(await page.locator('.plot canvas').count(), 3);
    // biome-ignore format: one pixel per line
    const pixels = await page.locator('.grid canvas').first().evaluate((canvas) =>
      Array.from((canvas as HTMLCanvasElement).getContext('2d')!.getImageData(0, 0, 2, 1).data));
    // The planes are red, green and blue.
    assert.equal(pixels, [255, 0, 9, 255, 0, 128, 7, 255]);
    // The policy forbids requests, whatever a script tries.
    const sent = await page.evaluate(() => fetch('https://example.invalid/').catch(() => 'refused'));
    assert.is(sent, 'refused');
    assert.equal(
      requests.filter((url) => url !== address && !url.startsWith('data:')),
      [],
    );
    assert.equal(
      faults.filter((text) => !/Content Security Policy|Fetch API cannot load/.test(text)),
      [],
    );
  } finally {
    await browser.close();
  }
});

test.run();
