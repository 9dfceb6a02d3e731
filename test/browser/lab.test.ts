import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseRun, type Recording } from '../../bench/harness/recording.ts';
import { BUTTONS, PROBLEMS, RESULT } from '../../demo/lab/words.ts';
import { hostedSite, Visitor } from './visitor.ts';

// One long visit to the real lab, on small shapes because the adapter is slow: each test continues from the one before.

const site = hostedSite('lab/worker.js');
let visitor: Visitor;

const MAIN = 'shaders/softmax.wgsl';
const ROW = 'shaders/softmax.row.wgsl';
const CORRECT = RESULT.correct(7936);

/** A test after which the page must be sound. */
const visitTest = (name: string, body: (page: Visitor['page']) => Promise<unknown>): void =>
  test(name, async () => {
    visitor ??= await Visitor.open(site);
    await body(visitor.page);
    await visitor.check();
  });

/** Waits until the kernel can be run. */
async function ready({ page }: Visitor = visitor): Promise<void> {
  await page.locator('#run:enabled', { hasText: BUTTONS.run }).waitFor({ timeout: 60_000 });
}

/** Waits until a file is in the editor. */
const shows = (path: string): Promise<void> =>
  visitor.page.locator(`#code[aria-label*="${path}"]`).waitFor({ timeout: 60_000 });

/** Replaces a part of the text in the editor. */
async function edit(from: string, to: string): Promise<void> {
  const text = await visitor.page.inputValue('#code');
  assert.ok(text.includes(from), `no ${from} in the editor`);
  await visitor.page.fill('#code', text.replace(from, to));
}

/** Runs the kernel, and returns the verdict once there is one of a kind. */
async function verdict(kind: 'right' | 'wrong', start = () => visitor.page.click('#run')): Promise<string> {
  await start();
  // The old verdict may be of the same kind; after an edit it is marked as old.
  const fresh = visitor.page.locator(`#verdict[data-kind="${kind}"]`).filter({ hasNotText: RESULT.stale('') });
  await fresh.waitFor({ timeout: 60_000 });
  await ready();
  return visitor.text('verdict');
}

visitTest('is one link away, and opens a kernel under its formulas', async (page) => {
  await page.getByRole('link', { name: 'Kernel lab' }).click();
  await ready();
  const { pathname, hash } = new URL(page.url());
  assert.match(pathname, /\/lab\/$/);
  assert.match(hash, `op=softmax&shape=256x31&file=${MAIN}`);
  assert.equal(await visitor.texts('#files button'), ['rows.wgsl', 'softmax.row.wgsl', 'softmax.wgsl']);
  const text = readFileSync(MAIN, 'utf8');
  assert.is(`// ${await page.textContent('.what')}`, text.slice(0, text.indexOf('\n')));
  assert.match((await visitor.texts('.formula .math'))[0]!, /^yr,c = exp\(/);
  assert.is(await page.inputValue('#code'), text);
  assert.match(await visitor.text('adapter'), /swiftshader/i);
  assert.ok(await page.locator('#software').isVisible());
});

visitTest('checks and times the shipped kernel', async () => {
  assert.is(await verdict('right'), CORRECT);
  assert.match((await visitor.texts('.times li')).join(), /^shipped[\d.]+ ms · [\d.]+ GB\/s[\d.]+ %$/);
  assert.match(await visitor.text('peaks'), /GFLOP\/s.* GB\/s/);
});

visitTest('times a correct edit together with the shipped kernel', async () => {
  await edit('exp((x[i] - stats.x) * params.scale)', 'exp2((x[i] - stats.x) * params.scale * 1.4426950408889634)');
  const text = await verdict('right');
  assert.ok(text.startsWith(CORRECT));
  assert.match(text.slice(CORRECT.length), / (Same speed|[\d.]+× (faster|slower)( \(within noise\))?)\.$/);
  assert.equal(await visitor.texts('.times .name'), [RESULT.edited('shipped'), 'shipped']);
});

visitTest('shows the first wrong element of a wrong edit, and no time', async (page) => {
  await edit('/ stats.y; }', '/ stats.y * select(1.0, 2.0, i == 33u); }');
  assert.is(await verdict('wrong'), RESULT.wrong(1, 7936, 'y[1, 2]'));
  const row = page.locator('#checks tr.wrong');
  assert.is(await row.count(), 1);
  assert.match((await row.textContent())!, /^y\[1, 2\]/);
  const [actual, expected] = (await row.locator('td').allTextContents()).map(Number);
  assert.ok(Math.abs(actual! / expected! - 2) < 1e-3);
  assert.is(await page.locator('.times li').count(), 0);
});

visitTest('marks a compile error at its line and file, and leads there', async (page) => {
  await page.locator('#files button', { hasText: 'softmax.row.wgsl' }).click();
  await shows(ROW);
  await edit('var s = 0.0;', 'var s = nonsense;');
  const text = await page.inputValue('#code');
  const line = text.slice(0, text.indexOf('nonsense')).split('\n').length;
  const byKeyboard = async () => {
    await page.locator('#code').focus();
    await page.keyboard.press('Control+Enter');
  };
  assert.is(await verdict('wrong', byKeyboard), RESULT.compileErrors(1));
  const marked = await page.evaluate(() =>
    [...document.querySelectorAll('#paint .row')].flatMap((row, i) =>
      row.matches('.fault') ? [`${i + 1}: ${row.getAttribute('data-fault')}`] : [],
    ),
  );
  assert.is(marked.length, 1);
  assert.match(marked[0]!, new RegExp(`^${line}: .*nonsense`));
  await page.locator('#files button', { hasText: 'rows.wgsl' }).click();
  const fault = page.locator('#faults button');
  assert.match((await fault.textContent())!, `${ROW}, line ${line}`);
  await fault.click();
  await page.waitForFunction(
    (at) =>
      document.activeElement?.id === 'code' && (document.activeElement as HTMLTextAreaElement).selectionStart === at,
    text.indexOf('nonsense'),
  );
});

visitTest('resets to the shipped text', async (page) => {
  assert.is(await page.locator('.mark', { hasText: 'edited' }).count(), 2);
  await page.click('#reset');
  await page.waitForFunction(() => document.querySelectorAll('.mark').length === 0);
  assert.is(await page.inputValue('#code'), readFileSync(ROW, 'utf8'));
  assert.ok(await page.locator('#reset').isDisabled());
  assert.is(await verdict('right'), CORRECT);
});

visitTest('leaves an endless loop, and keeps drawing meanwhile', async (page) => {
  await page.selectOption('#op', 'relu');
  await shows('relu');
  await ready();
  await edit('y[i] = ', 'while (params.size > 0u) { y[i] = x[i]; } y[i] = ');
  await page.click('#run');
  const longest = await page.evaluate(async () => {
    const gaps: number[] = [];
    const end = performance.now() + 1000;
    for (let last = performance.now(); last < end; ) {
      await new Promise(requestAnimationFrame);
      gaps.push(performance.now() - last);
      last = performance.now();
    }
    return Math.max(...gaps);
  });
  assert.ok(longest < 900, `${longest} ms without a frame`);
  assert.is(await verdict('wrong', async () => {}), PROBLEMS.endless);
  await page.click('#reset');
  assert.match(await verdict('right'), /^Correct/);
});

visitTest('replaces a lost device and reports it', async (page) => {
  await page.workers()[0]!.evaluate(() => (globalThis as unknown as { firstDevice: GPUDevice }).firstDevice.destroy());
  assert.is(await verdict('wrong'), PROBLEMS.gpuLost);
  assert.match(await verdict('right'), /^Correct/);
});

visitTest('shows another visitor the same through its address', async (page) => {
  await page.selectOption('#op', 'softmax-column-mean');
  await page.locator('#shape option', { hasText: '(ladder)' }).first().waitFor({ state: 'attached' });
  await page.selectOption('#shape', '256x100');
  await page.selectOption('#kernel', '2 statistics');
  await ready();
  const { hash } = new URL(page.url());
  assert.match(hash, /op=softmax-column-mean&shape=256x100&kernel=2\+statistics/);
  const other = await Visitor.open(site, `lab/${hash}`);
  await ready(other);
  for (const id of ['op', 'shape', 'kernel', 'code'])
    assert.is(await other.page.inputValue(`#${id}`), await page.inputValue(`#${id}`), id);
  await other.check();
  await other.leave();
  assert.match(await verdict('right'), /^Correct/);
  assert.equal(await visitor.texts('.times .name'), ['1 naive', '2 statistics', '3 shipped']);
});

visitTest('runs the benchmark, whose JSON is that of Node', async (page) => {
  await page.selectOption('#op', 'sum');
  await ready();
  await page.click('#bench');
  await visitor.enabled('json');
  await ready();
  const { name, bytes } = await visitor.download('JSON');
  assert.is(name, 'padagrad-bench.json');
  const { rows } = parseRun(String(bytes));
  assert.ok(rows.length > 0);
  for (const row of rows) assert.equal([row.verified, row.bench, row.peer], [true, 'sum', 'padagrad']);
  const { device, peaks, runtime } = JSON.parse(String(bytes)) as Recording;
  assert.match(device.name + device.vendor, /swiftshader/i);
  assert.ok(peaks.copyGbps > 0);
  assert.match(runtime, /Chrome/);
  assert.match(String((await visitor.download('CSV')).bytes), /^bench,shape,peer,kernel,medianMs/);
});

visitTest('fits a phone, has a dark mode, and names every control', async () => {
  await visitor.checkNames();
  await visitor.checkPhone();
});

test.run();
