// Takes the documents' pictures of the page, its analysis and the kernel lab: `npm run page:pictures -- [NAME ...] [--iterations N]`.
// Training and kernels run in Node, which is faster without a GPU. Workers in the browser then repeat the recorded reports.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import sharp from 'sharp';
import { openBrowser } from '../browser/openBrowser.mjs';
import { buildPage, kernelFiles } from '../page/build.mjs';
import { servePage } from '../page/serve.mjs';
import { readArgs } from '../readArgs.mjs';
import { findBrowser } from '../setup/browser.mjs';

const FOLDER = '.build/pictures';
const OUT = 'docs/pictures';
const MARGIN = 16;
const PATIENCE_MS = 180_000;
// The part of the page's address after #.
const SETTINGS = 'methods=dann,pada,self-training';

// One exponential per element instead of two.
const LAB = {
  choice: { op: 'softmax-column-mean', shape: '1024x1000', kernel: '2 statistics' },
  edit: {
    file: 'bench/ladder/softmax/statistics.wgsl',
    from: `    let next = max(m, x[first + c]);
    s = s * exp((m - next) * params.scale) + exp((x[first + c] - next) * params.scale);
    m = next;`,
    to: `    let v = x[first + c];
    if (v <= m) {
      s += exp((v - m) * params.scale);
    } else {
      s = s * exp((m - v) * params.scale) + 1.0;
      m = v;
    }`,
  },
};

const NAMES = ['page', 'analysis', 'lab'];
const { values, positionals, refuse } = readArgs(`npm run page:pictures -- [${NAMES.join(' ')}] [--iterations N]`, {
  allowPositionals: true,
  // 0 trains to the end.
  options: { iterations: { type: 'string', default: '0' } },
});
const unknown = positionals.find((name) => !NAMES.includes(name));
if (unknown) refuse(`page:pictures: there is no picture ${unknown}`);
const wants = (name) => positionals.length === 0 || positionals.includes(name);

const page = resolve(FOLDER, 'page');
await buildPage(page);
mkdirSync(OUT, { recursive: true });
Object.assign(process.env, findBrowser());
const { address, close } = await servePage(page);
const browser = await openBrowser();
if (wants('page') || wants('analysis')) {
  writeFileSync(join(page, 'worker.js'), await recordTraining());
  await takePage();
}
if (wants('lab')) {
  const { worker, text } = await recordLab();
  writeFileSync(join(page, 'lab', 'worker.js'), worker);
  await takeLab(text);
}
await browser.close();
close();
// A GPU that is still open keeps Node from ending.
process.exit();

/** Trains, and returns a worker that repeats the reports. */
async function recordTraining() {
  const { record } = await bundled('demo/page/record.ts');
  const { parseSettings } = await bundled('demo/page/settings.ts');
  const onProgress = (done) => process.stderr.write(`\r${done}   `);
  const recorded = await record(page, parseSettings(SETTINGS), { iterations: Number(values.iterations), onProgress });
  process.stderr.write('\n');
  const text = JSON.stringify(recorded, (_, value) =>
    ArrayBuffer.isView(value) ? { $: value.constructor.name, a: Array.from(value) } : value,
  );
  return `
const { reports, answers, analyses } = JSON.parse(${JSON.stringify(text)}, (_, value) =>
  value?.$ ? new globalThis[value.$](value.a) : value);
onmessage = ({ data: { type, pixels } }) => {
  if (type === 'begin') for (const report of reports) postMessage(report);
  // The page loads the code that draws an analysis when it asks for one, so the answer must not come within the same frame.
  if (type === 'analyse') setTimeout(() => postMessage(analyses), 5000);
  if (type === 'draw') postMessage(pixels ? answers : { type: 'answers', answers: null, drawing: 2, revision: 1 });
};
`;
}

/** Runs the edited kernel. Returns its text and a worker that answers each command as the lab did. */
async function recordLab() {
  const { recordLab: record } = await bundled('demo/lab/record.ts');
  const sources = Object.fromEntries(kernelFiles().map((path) => [path, readFileSync(path, 'utf8')]));
  const { answers, text } = await record(sources, LAB.choice, LAB.edit);
  const worker = `
const answers = JSON.parse(${JSON.stringify(JSON.stringify(answers))});
onmessage = ({ data: { type } }) => {
  for (const report of answers[type] ?? []) postMessage(report);
};
`;
  return { worker, text };
}

/** Bundles and imports a module that imports TypeScript and WGSL. */
async function bundled(entry) {
  const outfile = resolve(FOLDER, `${entry.replaceAll('/', '-')}.mjs`);
  await build({
    bundle: true,
    format: 'esm',
    target: 'es2022',
    platform: 'node',
    conditions: ['node'],
    packages: 'external',
    entryPoints: [entry],
    outfile,
    loader: { '.wgsl': 'text' },
  });
  return import(pathToFileURL(outfile).href);
}

/** The page from its top to the curves of accuracy, and the figure with the analyses. */
async function takePage() {
  const tab = await openTab(1200);
  await tab.goto(`${address}#${SETTINGS}`);
  await tab.waitForFunction(() => /\d/.test(document.querySelector('#scores .figure')?.textContent ?? ''));
  if (wants('page')) await save('page', tab, 'figure:has(#accuracy)', true);
  await tab.click('#analyse');
  await tab.locator('#analysis table').last().waitFor();
  if (wants('analysis')) await save('analysis', tab, 'figure:has(#analysis)', false);
}

async function takeLab(text) {
  const tab = await openTab(1360);
  await tab.goto(`${address}lab/#${new URLSearchParams({ ...LAB.choice, file: LAB.edit.file })}`);
  await tab.waitForFunction(() => !document.querySelector('#run').disabled);
  await tab.fill('#code', text);
  await tab.click('#run');
  await tab.locator('.times li').first().waitFor();
  await tab.evaluate(() => {
    const editor = document.querySelector('#editor');
    const top = (node) => node.getBoundingClientRect().top;
    // Puts the edit into the upper part of the picture.
    editor.scrollTop += top(document.querySelector('.changed')) - top(editor) - 180;
  });
  await save('lab', tab, '.kernel', true);
}

async function openTab(width) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, reducedMotion: 'reduce' });
  context.setDefaultTimeout(PATIENCE_MS);
  const tab = await context.newPage();
  tab.on('console', (message) => process.stderr.write(`${message.text()}\n`));
  return tab;
}

/** Saves a picture of an element, or of the page from its top to the end of that element. */
async function save(name, tab, selector, fromTop) {
  await tab.evaluate(() => {
    document.activeElement.blur();
    scrollTo(0, 0);
  });
  await tab.waitForTimeout(500);
  const { x, y, width, height } = await tab.locator(selector).boundingBox();
  const clip = fromTop
    ? { x: 0, y: 0, width: tab.viewportSize().width, height: Math.ceil(y + height + MARGIN) }
    : { x, y, width, height };
  const picture = await tab.screenshot({ fullPage: true, clip });
  // A palette of 256 colours makes the file three times smaller.
  await sharp(picture)
    .png({ palette: true })
    .toFile(join(OUT, `${name}.png`));
}
