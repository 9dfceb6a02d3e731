// Takes the pictures of the page that the documents show: `npm run page:pictures -- [--iterations N] [--recorded FILE]`.
// The trainings run in Node; the page then shows what they reported, as if its worker had.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { wgsl } from '../browser/bundle.mjs';
import { openBrowser } from '../browser/openBrowser.mjs';
import { buildPage } from '../page/build.mjs';
import { servePage } from '../page/serve.mjs';
import { findBrowser } from '../setup/browser.mjs';

const FOLDER = '.build/pictures';
const OUT = 'docs/pictures';
// As far down as a picture goes, and no farther than a reader wants to scroll.
const PICTURES = {
  'page-desktop': { viewport: { width: 1200, height: 900 }, colorScheme: 'light', until: '#features' },
  'page-dark': { viewport: { width: 1200, height: 900 }, colorScheme: 'dark', until: '#features' },
  'page-phone': {
    viewport: { width: 390, height: 844 },
    colorScheme: 'light',
    deviceScaleFactor: 1.5,
    isMobile: true,
    until: '#weights',
  },
};
const MARGIN = 16;

const { values } = parseArgs({
  options: {
    iterations: { type: 'string', default: '0' },
    address: { type: 'string', default: '' },
    out: { type: 'string', default: OUT },
    // Keeps the reports there, and takes them from there if they are.
    recorded: { type: 'string' },
  },
});

const page = resolve(FOLDER, 'page');
await buildPage(page);
const recording = await recordedReports(values.recorded);
writeFileSync(join(page, 'worker.js'), workerOf(recording));
Object.assign(process.env, findBrowser());
await shoot();

async function recordedReports(file) {
  if (file && existsSync(file)) return readFileSync(file, 'utf8');
  const bundle = resolve(FOLDER, 'record.mjs');
  await build({
    bundle: true,
    format: 'esm',
    target: 'es2022',
    platform: 'node',
    conditions: ['node'],
    packages: 'external',
    entryPoints: ['tools/pictures/record.mjs', 'demo/settings.ts'],
    outdir: FOLDER,
    outExtension: { '.js': '.mjs' },
    outbase: '.',
    plugins: [wgsl],
  });
  const load = (name) => import(pathToFileURL(join(dirname(bundle), name)).href);
  const { record } = await load('tools/pictures/record.mjs');
  const { parseSettings } = await load('demo/settings.mjs');
  const tell = (iterations) => process.stderr.write(`\r${iterations}   `);
  const recorded = await record(page, parseSettings(values.address), Number(values.iterations), tell);
  process.stderr.write('\n');
  const text = JSON.stringify(lighter(recorded), (_, value) =>
    ArrayBuffer.isView(value) ? { $: value.constructor.name, a: Array.from(value) } : value,
  );
  if (file) writeFileSync(file, text);
  return text;
}

/** Without the points of all looks but the last, which nobody sees any more. */
function lighter({ reports, answers }) {
  const last = reports.findLast(({ type }) => type === 'looks');
  const short = reports.map((report) =>
    report.type === 'looks' && report !== last
      ? {
          type: 'looks',
          looks: report.looks.map(([method, look]) => [method, { ...look, points: [], probabilities: [] }]),
        }
      : report,
  );
  return { reports: short, answers };
}

/** A worker that reports what was recorded. */
function workerOf(recording) {
  return `
const { reports, answers } = JSON.parse(${JSON.stringify(recording)}, (_, value) =>
  value?.$ ? new globalThis[value.$](value.a) : value);
onmessage = ({ data: { type, pixels } }) => {
  if (type === 'begin') for (const report of reports) postMessage(report);
  if (type === 'draw') postMessage(pixels ? answers : { type: 'answers', answers: null });
};
`;
}

async function shoot() {
  mkdirSync(values.out, { recursive: true });
  const { address, close } = await servePage(page);
  const browser = await openBrowser();
  try {
    for (const [name, { until, ...options }] of Object.entries(PICTURES)) {
      const context = await browser.newContext({ ...options, reducedMotion: 'reduce' });
      const tab = await context.newPage();
      tab.on('console', (message) => process.stderr.write(`${name}: ${message.text()}\n`));
      await tab.goto(`${address}#${values.address}`);
      await tab.waitForFunction(() => /\d/.test(document.querySelector('#scores .figure')?.textContent ?? ''));
      await tab.click('#example');
      await tab.locator('.said', { hasText: 'sees a' }).first().waitFor();
      await tab.evaluate(() => {
        document.activeElement.blur();
        scrollTo(0, 0);
      });
      await tab.waitForTimeout(500);
      const { y, height } = await tab.locator(`figure:has(${until})`).boundingBox();
      const clip = { x: 0, y: 0, width: options.viewport.width, height: Math.ceil(y + height + MARGIN) };
      await tab.screenshot({ path: join(values.out, `${name}.png`), fullPage: true, clip });
      await context.close();
    }
  } finally {
    await browser.close();
    close();
  }
}
