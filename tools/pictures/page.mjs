// Takes the documents' pictures of the page and the lab: `npm run page:pictures -- [--only page|emoji|lab] [--iterations N] [--recorded FILE]`.
// Training and kernels run in Node, which is faster without a GPU. Workers in the browser then repeat the recorded reports.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, extname, join, resolve } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { openBrowser } from '../browser/openBrowser.mjs';
import { buildPage, kernelFiles } from '../page/build.mjs';
import { servePage } from '../page/serve.mjs';
import { findBrowser } from '../setup/browser.mjs';

const FOLDER = '.build/pictures';
const OUT = 'docs/pictures';
// The address of the emoji, after #. The other pictures of the page show what `--address` says: digits by default.
const EMOJI = { address: 'task=emoji' };
// A picture ends below the element `until`.
const PICTURES = {
  'page-emoji': { ...EMOJI, viewport: { width: 1200, height: 900 }, colorScheme: 'light', until: '#features' },
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

const LAB_VIEW = { width: 1360, height: 900 };
const LAB_PICTURES = {
  // One exponential per element instead of two.
  'lab-desktop': {
    viewport: LAB_VIEW,
    colorScheme: 'light',
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
  },
  // Skips the last column.
  'lab-dark': {
    viewport: LAB_VIEW,
    colorScheme: 'dark',
    choice: { op: 'softmax', shape: '256x31', kernel: 'shipped' },
    edit: {
      file: 'shaders/softmax.wgsl',
      from: 'i < r.end; i += LANES * r.step) { y[i] = exp',
      to: 'i + 1u < r.end; i += LANES * r.step) { y[i] = exp',
    },
  },
};

const { values } = parseArgs({
  options: {
    iterations: { type: 'string', default: '0' },
    address: { type: 'string', default: '' },
    out: { type: 'string', default: OUT },
    only: { type: 'string' },
    // Reads the reports from this file if it exists, else writes them to it.
    recorded: { type: 'string' },
  },
});

const page = resolve(FOLDER, 'page');
await buildPage(page);
mkdirSync(values.out, { recursive: true });
const wants = (name) => (values.only ?? name) === name;
const recordings = [
  ...(wants('page') ? [[values.address, await recordedReports(values.address, values.recorded)]] : []),
  ...(wants('emoji') ? [[EMOJI.address, await recordedReports(EMOJI.address)]] : []),
];
const labs = wants('lab') ? await recordedLabs() : [];
Object.assign(process.env, findBrowser());
await withPages(async (browser, address) => {
  for (const [shown, recording] of recordings) {
    writeFileSync(join(page, 'worker.js'), workerOf(recording));
    await shoot(browser, address, shown);
  }
  for (const [name, { answers, text }] of labs) {
    writeFileSync(join(page, 'lab', 'worker.js'), labWorkerOf(answers));
    await shootLab(browser, address, name, text);
  }
});
// A GPU that is still open keeps Node from ending.
process.exit();

async function recordedReports(address, file) {
  if (file && existsSync(file)) return readFileSync(file, 'utf8');
  const { record } = await bundled('demo/page/record.ts');
  const { parseSettings } = await bundled('demo/page/settings.ts');
  const onProgress = (done) => process.stderr.write(`\r${done}   `);
  const recorded = await record(page, parseSettings(address), {
    iterations: Number(values.iterations),
    onProgress,
  });
  process.stderr.write('\n');
  const text = JSON.stringify(lighter(recorded), (_, value) =>
    ArrayBuffer.isView(value) ? { $: value.constructor.name, a: Array.from(value) } : value,
  );
  if (file) writeFileSync(file, text);
  return text;
}

/** Records the lab's reports for each of its pictures. */
async function recordedLabs() {
  const { recordLab } = await bundled('demo/lab/record.ts');
  const sources = Object.fromEntries(kernelFiles().map((path) => [path, readFileSync(path, 'utf8')]));
  const recorded = [];
  for (const [name, { choice, edit }] of Object.entries(LAB_PICTURES))
    recorded.push([name, await recordLab(sources, choice, edit)]);
  return recorded;
}

/** Bundles and imports a module that imports TypeScript and WGSL. */
async function bundled(entry) {
  const outfile = resolve(FOLDER, `${basename(entry, extname(entry))}.mjs`);
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

/** Removes the points and probabilities of all snapshots but the last, because the page shows only that one. */
function lighter({ reports, ...asked }) {
  const last = reports.findLast(({ type }) => type === 'snapshots');
  const short = reports.map((report) =>
    report.type === 'snapshots' && report !== last
      ? {
          ...report,
          snapshots: report.snapshots.map(([method, snapshot]) => [
            method,
            { ...snapshot, points: [], probabilities: [] },
          ]),
        }
      : report,
  );
  return { reports: short, ...asked };
}

/** Returns a worker that repeats recorded reports. */
function workerOf(recording) {
  return `
const { reports, answers, analyses } = JSON.parse(${JSON.stringify(recording)}, (_, value) =>
  value?.$ ? new globalThis[value.$](value.a) : value);
onmessage = ({ data: { type, pixels } }) => {
  if (type === 'begin') for (const report of reports) postMessage(report);
  if (type === 'analyse') postMessage(analyses);
  if (type === 'draw') postMessage(pixels ? answers : { type: 'answers', answers: null, drawing: 2, revision: 1 });
};
`;
}

/** Returns a worker that answers each command with its recorded reports. */
function labWorkerOf(answers) {
  return `
const answers = JSON.parse(${JSON.stringify(JSON.stringify(answers))});
onmessage = ({ data: { type } }) => {
  for (const report of answers[type] ?? []) postMessage(report);
};
`;
}

async function withPages(work) {
  const { address, close } = await servePage(page);
  const browser = await openBrowser();
  try {
    await work(browser, address);
  } finally {
    await browser.close();
    close();
  }
}

async function openTab(browser, name, options) {
  const context = await browser.newContext({ ...options, reducedMotion: 'reduce' });
  const tab = await context.newPage();
  tab.on('console', (message) => process.stderr.write(`${name}: ${message.text()}\n`));
  return tab;
}

/** Takes a picture of the page from its top to the end of an element. */
async function picture(tab, name, { viewport: { width } }, until) {
  await tab.evaluate(() => {
    document.activeElement.blur();
    scrollTo(0, 0);
  });
  await tab.waitForTimeout(500);
  const { y, height } = await tab.locator(until).boundingBox();
  const clip = { x: 0, y: 0, width, height: Math.ceil(y + height + MARGIN) };
  await tab.screenshot({ path: join(values.out, `${name}.png`), fullPage: true, clip });
  await tab.context().close();
}

/** Takes the pictures of the page at an address. */
async function shoot(browser, site, shown) {
  for (const [name, { until, address = values.address, ...options }] of Object.entries(PICTURES)) {
    if (address !== shown) continue;
    const tab = await openTab(browser, name, options);
    await tab.goto(`${site}#${address}`);
    await tab.waitForFunction(() => /\d/.test(document.querySelector('#scores .figure')?.textContent ?? ''));
    if (address !== EMOJI.address) {
      await tab.click('#example');
      await tab.locator('.said', { hasText: 'sees a' }).first().waitFor();
    }
    await picture(tab, name, options, `figure:has(${until})`);
  }
}

async function shootLab(browser, address, name, text) {
  const { choice, edit, ...options } = LAB_PICTURES[name];
  const tab = await openTab(browser, name, options);
  await tab.goto(`${address}lab/#${new URLSearchParams({ ...choice, file: edit.file })}`);
  await tab.waitForFunction(() => !document.querySelector('#run').disabled);
  await tab.fill('#code', text);
  await tab.click('#run');
  await tab.locator('.times li, #checks tr').first().waitFor();
  await tab.evaluate(() => {
    const editor = document.querySelector('#editor');
    const top = (node) => node.getBoundingClientRect().top;
    // Puts the edit into the upper part of the picture.
    editor.scrollTop += top(document.querySelector('.changed')) - top(editor) - 180;
  });
  await picture(tab, name, options, '.kernel');
}
