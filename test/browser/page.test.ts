import type { Browser } from 'playwright-core';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeSafetensors } from '../../src/io/safetensors.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/train/checkpoint.ts';
import { openBrowser } from '../../tools/browser/openBrowser.mjs';
import { host, namelessIn, Visitor } from './visitor.ts';

// The page as a visitor has it, in one long visit: the tests go on from one another.

let browser: Browser;
let address: string;
let close: (() => Promise<void>) | undefined;
let visitor: Visitor;
let saved: { name: string; bytes: Buffer };

// The adapter is slow: small batches, and few images whose class weights are taken soon.
const CHOICES = 'digits=0&batch=16&updateSteps=10';

test.before(async () => {
  ({ browser, address, close } = await host('worker.js'));
});
test.after(() => close?.());

const weights = '#weights [data-method="pada"] .value';

test('the page loads, says that the adapter is slow, and waits', async () => {
  visitor = await Visitor.open(browser, `${address}#${CHOICES}`);
  await visitor.ready();
  assert.is(await visitor.text('status'), 'Ready: press Start.');
  assert.ok(await visitor.page.locator('#software').isVisible());
  assert.match(await visitor.text('adapter'), /swiftshader/i);
  assert.equal(await visitor.texts('#scores h3'), ['DANN', 'PADA']);
  await visitor.sound();
  visitor.calm();
});

test('it trains twenty steps, and the loss falls', async () => {
  await visitor.page.click('#start');
  await visitor.reach(20);
  const { name, bytes } = await visitor.download('Metrics as CSV');
  assert.is(name, 'padagrad-metrics.csv');
  const rows = bytes
    .toString()
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  for (const method of ['dann', 'pada']) {
    const losses = rows.filter(([first]) => first === method).map(([, , loss]) => Number(loss));
    assert.ok(losses.length >= 20, `${losses.length} iterations`);
    const mean = (part: number[]) => part.reduce((sum, loss) => sum + loss, 0) / part.length;
    const [first, last] = [mean(losses.slice(0, 5)), mean(losses.slice(15, 20))];
    assert.ok(last < 0.9 * first, `${method}: ${first} then ${last}`);
  }
  await visitor.sound();
  visitor.calm();
});

test('a pause is at once', async () => {
  const { page } = visitor;
  assert.is(await visitor.text('start'), 'Pause');
  await page.click('#start');
  assert.is(await visitor.text('start'), 'Go on');
  const at = await visitor.iteration();
  assert.match(await visitor.text('status'), /^Paused after iteration \d+\.$/);
  await page.waitForTimeout(3000);
  const later = await visitor.iteration();
  assert.ok(later - at <= 1, `${at} then ${later}`);
  await page.click('#step');
  await visitor.reach(later + 1);
  await page.waitForTimeout(1000);
  assert.is(await visitor.iteration(), later + 1);
  await visitor.sound();
  visitor.calm();
});

test('other digits and another temperature change the weights, and training goes on from where it was', async () => {
  const { page } = visitor;
  const before = await visitor.iteration();
  const first = await visitor.texts(weights);
  await page.locator('#digits button', { hasText: '7' }).click();
  const second = await visitor.changed(weights, first);
  await page.locator('#temperature').focus();
  for (let i = 0; i < 5; i++) await page.keyboard.press('PageUp');
  const third = await visitor.changed(weights, second);
  const sum = (texts: string[]) => texts.reduce((total, text) => total + Number(text), 0);
  assert.ok(sum(third) > sum(second), `${second} then ${third}`);
  assert.is(await visitor.iteration(), before);
  assert.is(await page.locator('#digits [data-item="7"]').getAttribute('aria-pressed'), 'true');
  await visitor.sound();
  visitor.calm();
});

test('the address holds every choice, and gives the same view to others', async () => {
  const { page } = visitor;
  await page.fill('#seed', '0');
  await page.selectOption('#speed', '5');
  const { hash } = new URL(page.url());
  assert.match(hash, /digits=07/);
  assert.match(hash, /batch=16/);
  assert.match(hash, /speed=5/);
  assert.match(hash, /run=0/);
  const other = await Visitor.open(browser, `${address}${hash}`);
  const shown = (of: Visitor) =>
    of.page.evaluate(() => ({
      pressed: [...document.querySelectorAll('[aria-pressed="true"]')].map(({ textContent }) => textContent),
      values: ['temperature', 'tradeOff', 'updateSteps', 'seed', 'speed'].map(
        (id) => document.querySelector<HTMLInputElement>(`#${id}`)!.value,
      ),
    }));
  assert.equal(await shown(other), await shown(visitor));
  await other.leave();
  other.calm();
  await visitor.sound();
  visitor.calm();
});

test('what is drawn with the mouse, or with keys, every network names', async () => {
  const { page } = visitor;
  const answers = '#answers .said';
  await page.locator('#sheet').scrollIntoViewIfNeeded();
  const sheet = (await page.locator('#sheet').boundingBox())!;
  await page.mouse.move(sheet.x + 0.5 * sheet.width, sheet.y + 0.2 * sheet.height);
  await page.mouse.down();
  await page.mouse.move(sheet.x + 0.5 * sheet.width, sheet.y + 0.8 * sheet.height, { steps: 5 });
  await page.mouse.up();
  const said = await visitor.changed(answers, ['sees nothing yet', 'sees nothing yet']);
  for (const text of said) assert.match(text, /^sees a \d$/);
  const shares = (await visitor.texts('#answers [data-method="pada"] .value')).map((text) => Number.parseInt(text, 10));
  assert.ok(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 100) <= 5, `${shares}`);
  await page.click('#clear');
  // The rest of the stroke may be answered first.
  await visitor.say(answers, 'sees nothing yet');
  await page.locator('#paper').focus();
  await page.keyboard.press('Space');
  for (const key of ['ArrowDown', 'ArrowDown', 'ArrowRight', 'ArrowDown']) await page.keyboard.press(key);
  await visitor.changed(answers, ['sees nothing yet', 'sees nothing yet']);
  await visitor.sound();
  visitor.calm();
});

test('a training is saved as Node writes it, and one that Node wrote is opened', async () => {
  const { page } = visitor;
  const iteration = await visitor.iteration();
  saved = await visitor.download('Save the training of PADA, to go on from');
  assert.is(saved.name, `padagrad-pada-${iteration}.safetensors`);
  const checkpoint = await decodeCheckpoint(saved.bytes);
  assert.equal(
    [checkpoint.iteration, checkpoint.options.batchSize, checkpoint.options.method],
    [iteration, 16, 'pada'],
  );
  const written = Buffer.from(await encodeCheckpoint(checkpoint));
  assert.ok(written.equals(saved.bytes));
  await page.click('#step');
  await visitor.reach(iteration + 1);
  await page.setInputFiles('[data-load="pada"]', { name: 'node.safetensors', mimeType: '', buffer: written });
  await visitor.told(`Opened node.safetensors: pada after ${iteration} iterations`);
  const network = await visitor.download('Save the network of PADA alone');
  const { tensors } = decodeSafetensors(network.bytes);
  for (const [name, { data }] of tensors) assert.equal(data, checkpoint.tensors.get(`model.${name}`)!.data, name);
  await page.setInputFiles('[data-load="dann"]', { name: 'net.safetensors', mimeType: '', buffer: network.bytes });
  await visitor.told('Opened net.safetensors: a network, for dann to go on with');
  await page.setInputFiles('[data-load="dann"]', { name: 'bad.safetensors', mimeType: '', buffer: Buffer.alloc(40) });
  await page.locator('#notice').waitFor();
  assert.match(await visitor.text('notice'), /bad\.safetensors: at byte \d+ expected/);
  await visitor.sound();
  visitor.calm();
});

test('hidden, it stands still', async () => {
  const { page } = visitor;
  await page.selectOption('#speed', 'Infinity');
  const hide = (hidden: boolean) =>
    page.evaluate((value) => {
      Object.defineProperty(document, 'hidden', { value, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
  await page.click('#start');
  await visitor.reach((await visitor.iteration()) + 1);
  await hide(true);
  // What was under way ends.
  await page.waitForTimeout(4000);
  const at = await visitor.iteration();
  await page.waitForTimeout(4000);
  assert.is(await visitor.iteration(), at);
  await hide(false);
  await visitor.reach(at + 1);
  await visitor.sound();
  visitor.calm();
});

test('a lost device is replaced, and said so', async () => {
  const { page } = visitor;
  const [worker] = page.workers();
  await worker!.evaluate(() => (globalThis as unknown as { latestDevice: GPUDevice }).latestDevice.destroy());
  await visitor.told('The GPU was lost; training continues from iteration');
  const at = await visitor.iteration();
  await visitor.reach(at + 2);
  await page.click('#start');
  await visitor.sound();
  visitor.calm();
});

test('it fits a phone, and is dark where the visitor likes it dark', async () => {
  const { page } = visitor;
  await page.setViewportSize({ width: 360, height: 740 });
  assert.is(await page.evaluate(() => document.documentElement.scrollWidth), 360);
  const brightness = () => page.evaluate(() => Number(/\d+/.exec(getComputedStyle(document.body).backgroundColor)![0]));
  assert.ok((await brightness()) > 200);
  await page.emulateMedia({ colorScheme: 'dark' });
  assert.ok((await brightness()) < 60);
  await visitor.sound();
  visitor.calm();
});

test('everything that can be worked with has a name', async () => {
  assert.equal(await namelessIn(visitor.page), []);
  await visitor.leave();
});

test('without WebGPU the page says what to do', async () => {
  const context = await browser.newContext();
  await context.addInitScript(() => Reflect.deleteProperty(Navigator.prototype, 'gpu'));
  const page = await context.newPage();
  await page.goto(address);
  assert.match((await page.textContent('#notice'))!, /WebGPU, which this browser does not have.*current Chrome/);
  assert.ok(await page.locator('#start').isDisabled());
  assert.is(page.workers().length, 0);
  await context.close();
  const plain = await openBrowser({ webgpu: false });
  try {
    const without = await Visitor.open(plain, address);
    await without.page.locator('#notice').waitFor();
    assert.match(await without.text('notice'), /WebGPU/);
    assert.ok(await without.page.locator('#start').isDisabled());
  } finally {
    await plain.close();
  }
});

test.run();
