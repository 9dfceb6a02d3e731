import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BUTTONS, DRAWING, FILES, STATUS } from '../../demo/page/words.ts';
import { ADVICE } from '../../demo/shared/words.ts';
import { decodeSafetensors } from '../../src/io/safetensors.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/train/checkpoint.ts';
import { openBrowser } from '../../tools/browser/openBrowser.mjs';
import { hostedSite, Visitor } from './visitor.ts';

// One long visit to the real page: each test continues from the one before.

const site = hostedSite('worker.js');
let visitor: Visitor;

// The adapter is slow: small batches, few images, and class weights soon.
const SETTINGS = 'digits=0&batch=16&updateSteps=10';
const WEIGHTS = '#weights [data-method="pada"] .value';

/** A test after which the page must be sound. */
const visitTest = (name: string, body: (page: Visitor['page']) => Promise<unknown>): void =>
  test(name, async () => {
    visitor ??= await Visitor.open(site, `#${SETTINGS}`);
    await body(visitor.page);
    await visitor.check();
  });

visitTest('loads, names the slow adapter, and waits', async (page) => {
  await visitor.enabled('start');
  assert.is(await visitor.text('status'), STATUS.ready);
  assert.ok(await page.locator('#software').isVisible());
  assert.match(await visitor.text('adapter'), /swiftshader/i);
  assert.equal(await visitor.texts('#scores h3'), ['DANN', 'PADA']);
  assert.equal(await page.locator('.samples canvas').count(), 24);
});

visitTest('trains twenty iterations, and the loss falls', async (page) => {
  await page.click('#start');
  await visitor.reach(20);
  const { name, bytes } = await visitor.download('Metrics as CSV');
  assert.is(name, 'padagrad-metrics.csv');
  const rows = String(bytes).trim().split('\n');
  for (const method of ['dann', 'pada']) {
    const losses = rows.filter((row) => row.startsWith(method)).map((row) => Number(row.split(',')[2]));
    assert.ok(losses.length >= 20, `${losses.length} iterations`);
    const mean = (part: number[]) => part.reduce((sum, loss) => sum + loss, 0) / part.length;
    const [first, last] = [mean(losses.slice(0, 5)), mean(losses.slice(15, 20))];
    assert.ok(last < 0.9 * first, `${method}: ${first} then ${last}`);
  }
});

visitTest('pauses at once', async (page) => {
  assert.is(await visitor.text('start'), BUTTONS.pause);
  await page.click('#start');
  assert.is(await visitor.text('start'), BUTTONS.continue);
  const at = await visitor.iteration();
  await page.waitForTimeout(3000);
  const later = await visitor.iteration();
  assert.is(await visitor.text('status'), STATUS.pausedAt(later));
  assert.ok(later - at <= 1, `${at} then ${later}`);
  await page.click('#step');
  await visitor.reach(later + 1);
  await page.waitForTimeout(1000);
  assert.is(await visitor.iteration(), later + 1);
});

visitTest('recomputes the weights for other digits and another temperature', async (page) => {
  const before = await visitor.iteration();
  const first = await visitor.texts(WEIGHTS);
  await page.locator('#digits button', { hasText: '7' }).click();
  const second = await visitor.changed(WEIGHTS, first);
  await page.locator('#temperature').focus();
  for (let i = 0; i < 5; i++) await page.keyboard.press('PageUp');
  const third = await visitor.changed(WEIGHTS, second);
  const sum = (texts: string[]) => texts.reduce((total, text) => total + Number(text), 0);
  assert.ok(sum(third) > sum(second), `${second} then ${third}`);
  assert.is(await visitor.iteration(), before);
  assert.is(await page.locator('#digits [data-item="7"]').getAttribute('aria-pressed'), 'true');
});

visitTest('keeps every setting in the address, which shows another visitor the same', async (page) => {
  await page.fill('#seed', '0');
  await page.selectOption('#speed', '5');
  const { hash } = new URL(page.url());
  for (const part of ['digits=07', 'batch=16', 'speed=5', 'run=0']) assert.match(hash, part);
  const other = await Visitor.open(site, hash);
  const shown = (of: Visitor) =>
    of.page.evaluate(() => ({
      pressed: [...document.querySelectorAll('[aria-pressed="true"]')].map(({ textContent }) => textContent),
      values: ['temperature', 'tradeOff', 'updateSteps', 'seed', 'speed'].map(
        (id) => document.querySelector<HTMLInputElement>(`#${id}`)!.value,
      ),
    }));
  assert.equal(await shown(other), await shown(visitor));
  await other.check();
  await other.leave();
});

visitTest('names what is drawn with the mouse or with keys', async (page) => {
  const answers = '#answers .said';
  const none = [DRAWING.none, DRAWING.none];
  await page.locator('#sheet').scrollIntoViewIfNeeded();
  const sheet = (await page.locator('#sheet').boundingBox())!;
  const at = (y: number) => [sheet.x + 0.5 * sheet.width, sheet.y + y * sheet.height] as const;
  await page.mouse.move(...at(0.2));
  await page.mouse.down();
  await page.mouse.move(...at(0.8), { steps: 5 });
  await page.mouse.up();
  for (const text of await visitor.changed(answers, none)) assert.match(text, /^sees a \d$/);
  const shares = (await visitor.texts('#answers [data-method="pada"] .value')).map((text) => Number.parseInt(text, 10));
  assert.ok(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 100) <= 5, `${shares}`);
  await page.click('#clear');
  // The rest of the stroke may be answered first.
  await visitor.allSay(answers, DRAWING.none);
  await page.locator('#paper').focus();
  await page.keyboard.press('Space');
  for (const key of ['ArrowDown', 'ArrowDown', 'ArrowRight', 'ArrowDown']) await page.keyboard.press(key);
  await visitor.changed(answers, none);
});

visitTest('saves a checkpoint as Node writes it, and opens one that Node wrote', async (page) => {
  const iteration = await visitor.iteration();
  const saved = await visitor.download(FILES.checkpoint.label('pada'));
  assert.is(saved.name, `padagrad-pada-${iteration}.safetensors`);
  const checkpoint = await decodeCheckpoint(saved.bytes);
  const { options, method } = checkpoint;
  assert.equal([checkpoint.iteration, options.batchSize, method.name], [iteration, 16, 'pada']);
  const written = Buffer.from(await encodeCheckpoint(checkpoint));
  assert.ok(written.equals(saved.bytes));
  await page.click('#step');
  await visitor.reach(iteration + 1);
  const open = (into: string, name: string, buffer: Buffer) =>
    page.setInputFiles(`[data-load="${into}"]`, { name, mimeType: '', buffer });
  await open('pada', 'node.safetensors', written);
  await visitor.says('status', STATUS.opened('node.safetensors', 'pada', iteration));
  const network = await visitor.download(FILES.network.label('pada'));
  const { tensors } = decodeSafetensors(network.bytes);
  for (const [name, { data }] of tensors) assert.equal(data, checkpoint.tensors.get(`model.${name}`)!.data, name);
  await open('dann', 'net.safetensors', network.bytes);
  await visitor.says('status', STATUS.opened('net.safetensors', 'dann', undefined));
  await open('dann', 'bad.safetensors', Buffer.alloc(40));
  await page.locator('#notice').waitFor();
  assert.match(await visitor.text('notice'), /bad\.safetensors: at byte \d+ expected/);
});

visitTest('does not train while it is hidden', async (page) => {
  await page.selectOption('#speed', 'Infinity');
  const hide = (hidden: boolean) =>
    page.evaluate((value) => {
      Object.defineProperty(document, 'hidden', { value, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
  await page.click('#start');
  await visitor.reach((await visitor.iteration()) + 1);
  await hide(true);
  // The current slice ends.
  await page.waitForTimeout(4000);
  const at = await visitor.iteration();
  await page.waitForTimeout(4000);
  assert.is(await visitor.iteration(), at);
  await hide(false);
  await visitor.reach(at + 1);
});

visitTest('replaces a lost device and reports it', async (page) => {
  const [worker] = page.workers();
  await worker!.evaluate(() => (globalThis as unknown as { latestDevice: GPUDevice }).latestDevice.destroy());
  await visitor.says('status', STATUS.lost(0, true).replace(/0\.$/, ''));
  await visitor.reach((await visitor.iteration()) + 2);
  await page.click('#start');
});

visitTest('fits a phone, has a dark mode, and names every control', async () => {
  await visitor.checkNames();
  await visitor.checkPhone();
});

test('says what to do without WebGPU', async () => {
  const plain = await openBrowser({ webgpu: false });
  try {
    const without = await Visitor.open({ ...site, browser: plain });
    await without.page.locator('#notice').waitFor();
    assert.ok([ADVICE.NO_ADAPTER, ADVICE.NO_WEBGPU].includes(await without.text('notice')));
    assert.ok(await without.page.locator('#start').isDisabled());
  } finally {
    await plain.close();
  }
});

test.run();
