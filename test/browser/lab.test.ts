import { readFileSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseRun } from '../../bench/harness/report.ts';
import { host, namelessIn, Visitor } from './visitor.ts';

// The kernel lab as a visitor has it, in one long visit, on small shapes: the adapter is slow.

let browser: Browser;
let address: string;
let close: (() => Promise<void>) | undefined;
let visitor: Visitor;

test.before(async () => {
  ({ browser, address, close } = await host('lab/worker.js'));
});
test.after(() => close?.());

const MAIN = 'shaders/softmax.wgsl';

/** Until the kernel can be run. */
async function ready({ page }: Visitor): Promise<void> {
  await page.waitForFunction(
    () => {
      const run = document.querySelector<HTMLButtonElement>('#run')!;
      return !run.disabled && run.textContent === 'Run';
    },
    null,
    { timeout: 60_000 },
  );
}

/** Replaces a part of the text that is shown. */
async function edit(from: string, to: string): Promise<void> {
  const text = await visitor.page.inputValue('#code');
  assert.ok(text.includes(from), `no ${from} in what is shown`);
  await visitor.page.fill('#code', text.replace(from, to));
}

/** Runs what is there, until there is a result that says so; gives it. */
async function verdict(kind: 'right' | 'wrong', start = () => visitor.page.click('#run')): Promise<string> {
  await start();
  // What was found before the change may say the same, and stands there until the run is done.
  const verdict = visitor.page
    .locator(`#verdict[data-kind="${kind}"]`)
    .filter({ hasNotText: 'before the latest change' });
  await verdict.waitFor({ timeout: 60_000 });
  await ready(visitor);
  return visitor.text('verdict');
}

test('the lab is a link away, and loads with a kernel under its mathematics', async () => {
  visitor = await Visitor.open(browser, address);
  await visitor.page.getByRole('link', { name: 'kernel lab' }).click();
  await ready(visitor);
  const { page } = visitor;
  assert.match(new URL(page.url()).pathname, /\/lab\/$/);
  assert.match(new URL(page.url()).hash, /op=softmax&shape=256x31&file=shaders\/softmax\.wgsl/);
  assert.equal(await visitor.texts('#files button'), ['rows.wgsl', 'softmax.row.wgsl', 'softmax.wgsl']);
  assert.is(await page.textContent('.what'), 'softmax: rows of logits to probabilities, with temperature');
  assert.match((await visitor.texts('.formula .math'))[0]!, /^yr,c = exp\(/);
  assert.is(await page.inputValue('#code'), readFileSync(MAIN, 'utf8'));
  assert.match(await visitor.text('adapter'), /swiftshader/i);
  assert.ok(await page.locator('#software').isVisible());
  await visitor.sound();
  visitor.calm();
});

test('the shipped kernel is found right, and timed against the peaks', async () => {
  assert.is(await verdict('right'), 'Right: all 7,936 elements.');
  assert.match((await visitor.texts('.times li')).join(), /^shipped[\d.]+ ms · [\d.]+ GB\/s[\d.]+ %$/);
  assert.match(await visitor.text('peaks'), /GFLOP\/s .* GB\/s/);
  await visitor.sound();
  visitor.calm();
});

test('an edited kernel that is right is timed beside the shipped one', async () => {
  await edit('exp((x[i] - stats.x) * params.scale)', 'exp2((x[i] - stats.x) * params.scale * 1.4426950408889634)');
  assert.match(await verdict('right'), /^Right: all 7,936 elements\. .*(as|than) before.*\.$/);
  const [edited, shipped] = await visitor.texts('.times .name');
  assert.equal([edited, shipped], ['shipped, edited', 'shipped']);
  await visitor.sound();
  visitor.calm();
});

test('of one that is wrong the first wrong element is shown, and no time', async () => {
  const { page } = visitor;
  await edit('/ stats.y; }', '/ stats.y * select(1.0, 2.0, i == 33u); }');
  assert.match(await verdict('wrong'), /^Wrong: y\[1, 2\] is the first of 1 wrong elements of 7,936/);
  const row = page.locator('#checks tr.wrong');
  assert.is(await row.count(), 1);
  assert.match((await row.textContent())!, /^y\[1, 2\]/);
  const [actual, expected] = (await row.locator('td').allTextContents()).map(Number);
  assert.ok(Math.abs(actual! / expected! - 2) < 1e-3);
  assert.is(await page.locator('.times li').count(), 0);
  await visitor.sound();
  visitor.calm();
});

test('a compile error stands at its line, in the file that has it, and leads there', async () => {
  const { page } = visitor;
  await page.locator('#files button', { hasText: 'softmax.row.wgsl' }).click();
  await page.waitForFunction(() => document.querySelector('#code')!.getAttribute('aria-label')!.includes('row'));
  await edit('var s = 0.0;', 'var s = nonsense;');
  const text = await page.inputValue('#code');
  const line = text.slice(0, text.indexOf('nonsense')).split('\n').length;
  // From the keyboard, too.
  const start = async () => {
    await page.locator('#code').focus();
    await page.keyboard.press('Control+Enter');
  };
  assert.is(await verdict('wrong', start), 'It does not compile: an error.');
  const marked = await page.evaluate(() =>
    [...document.querySelectorAll('#paint .row')].flatMap((row, i) =>
      row.matches('.fault') ? [[i + 1, row.getAttribute('data-fault')]] : [],
    ),
  );
  assert.is(marked.length, 1);
  assert.is(marked[0]![0], line);
  assert.match(String(marked[0]![1]), 'nonsense');
  await page.locator('#files button', { hasText: 'rows.wgsl' }).click();
  const fault = page.locator('#faults button');
  assert.match((await fault.textContent())!, `shaders/softmax.row.wgsl, line ${line}`);
  await fault.click();
  await page.waitForFunction(
    (at) =>
      document.activeElement?.id === 'code' && (document.activeElement as HTMLTextAreaElement).selectionStart === at,
    text.indexOf('nonsense'),
  );
  await visitor.sound();
  visitor.calm();
});

test('reset brings back what is shipped', async () => {
  const { page } = visitor;
  assert.is(await page.locator('.mark', { hasText: 'edited' }).count(), 2);
  await page.click('#reset');
  await page.waitForFunction(() => document.querySelectorAll('.mark').length === 0);
  assert.is(await page.inputValue('#code'), readFileSync('shaders/softmax.row.wgsl', 'utf8'));
  assert.ok(await page.locator('#reset').isDisabled());
  assert.is(await verdict('right'), 'Right: all 7,936 elements.');
  await visitor.sound();
  visitor.calm();
});

test('a loop without end is left, and the page does not stand still', async () => {
  const { page } = visitor;
  await page.selectOption('#op', 'relu');
  await page.waitForFunction(() => document.querySelector('#code')!.getAttribute('aria-label')!.includes('relu'));
  await ready(visitor);
  await edit('y[i] = ', 'while (params.size > 0u) { y[i] = x[i]; } y[i] = ');
  await page.click('#run');
  const frames = await page.evaluate(async () => {
    const gaps: number[] = [];
    const end = performance.now() + 1000;
    for (let last = performance.now(); last < end; ) {
      await new Promise(requestAnimationFrame);
      gaps.push(performance.now() - last);
      last = performance.now();
    }
    return Math.max(...gaps);
  });
  assert.ok(frames < 900, `${frames} ms without a frame`);
  assert.match(await verdict('wrong', async () => {}), /^A loop goes on and on, so it may never end/);
  await page.click('#reset');
  assert.match(await verdict('right'), /^Right/);
  await visitor.sound();
  visitor.calm();
});

test('a lost device is replaced, and said so', async () => {
  const { page } = visitor;
  await page.workers()[0]!.evaluate(() => (globalThis as unknown as { firstDevice: GPUDevice }).firstDevice.destroy());
  assert.match(await verdict('wrong'), /^The GPU was lost/);
  assert.match(await verdict('right'), /^Right/);
  await visitor.sound();
  visitor.calm();
});

test('the address gives the same view to others', async () => {
  const { page } = visitor;
  await page.selectOption('#op', 'softmax-column-mean');
  await page.locator('#shape option', { hasText: 'with its ladder' }).first().waitFor({ state: 'attached' });
  await page.selectOption('#shape', '256x100');
  await page.selectOption('#kernel', '2 statistics');
  await ready(visitor);
  const { hash } = new URL(page.url());
  assert.match(hash, /op=softmax-column-mean&shape=256x100&kernel=2\+statistics/);
  const other = await Visitor.open(browser, `${address}lab/${hash}`);
  await ready(other);
  for (const id of ['op', 'shape', 'kernel', 'code'])
    assert.is(await other.page.inputValue(`#${id}`), await page.inputValue(`#${id}`), id);
  await other.leave();
  other.calm();
  assert.match(await verdict('right'), /^Right/);
  assert.equal(await visitor.texts('.times .name'), ['1 naive', '2 statistics', '3 shipped']);
  await visitor.sound();
  visitor.calm();
});

test('the bench runs here, and its JSON is that of Node', async () => {
  const { page } = visitor;
  await page.selectOption('#op', 'sum');
  await ready(visitor);
  await page.click('#bench');
  await page.waitForFunction(() => !document.querySelector<HTMLButtonElement>('#json')!.disabled, null, {
    timeout: 60_000,
  });
  await ready(visitor);
  const { name, bytes } = await visitor.download('JSON');
  assert.is(name, 'padagrad-bench.json');
  const { rows } = parseRun(bytes.toString());
  assert.ok(rows.length > 0);
  for (const row of rows) assert.equal([row.verified, row.bench, row.peer], [true, 'sum', 'padagrad']);
  const [device, peaks] = bytes
    .toString()
    .split('\n')
    .map((line) => line && JSON.parse(line));
  assert.match(device.name + device.vendor, /swiftshader/i);
  assert.ok(peaks.copyGbps > 0);
  assert.match((await visitor.download('CSV')).bytes.toString(), /^bench,shape,peer,kernel,medianMs/);
  await visitor.sound();
  visitor.calm();
});

test('it fits a phone, is dark where the visitor likes it dark, and everything has a name', async () => {
  const { page } = visitor;
  assert.equal(await namelessIn(page), []);
  await page.setViewportSize({ width: 360, height: 740 });
  assert.is(await page.evaluate(() => document.documentElement.scrollWidth), 360);
  const brightness = () => page.evaluate(() => Number(/\d+/.exec(getComputedStyle(document.body).backgroundColor)![0]));
  assert.ok((await brightness()) > 200);
  await page.emulateMedia({ colorScheme: 'dark' });
  assert.ok((await brightness()) < 60);
  visitor.calm();
  await visitor.leave();
});

test('without WebGPU the lab says what to do', async () => {
  const context = await browser.newContext();
  await context.addInitScript(() => Reflect.deleteProperty(Navigator.prototype, 'gpu'));
  const page = await context.newPage();
  await page.goto(`${address}lab/`);
  assert.match((await page.textContent('#notice'))!, /WebGPU, which this browser does not have/);
  assert.ok(await page.locator('#run').isDisabled());
  await context.close();
});

test.run();
