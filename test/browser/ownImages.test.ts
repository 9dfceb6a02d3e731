import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LABELS, OWN } from '../../demo/page/ownWords.ts';
import { ANALYSIS, FILES, STATUS } from '../../demo/page/words.ts';
import { sharpDecoder } from '../../src/cli/decode.ts';
import type { DecodeOptions } from '../../src/data/readers/images.ts';
import { decodeModel } from '../../src/train/modelFile.ts';
import { serve } from '../../tools/browser/serve.mjs';
import { hostedSite, Visitor } from './visitor.ts';

// One visit with images of the visitor's own, as real files of every kind: each test continues from the one before.

const site = hostedSite('worker.js');
const folder = mkdtempSync(join(tmpdir(), 'padagrad-own-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));
let visitor: Visitor;

const CLASSES = ['Straße, alt', 'disc'];
const [WIDTH, HEIGHT] = [60, 44];

/** A picture with soft edges: a disc or a stripe, at another place and in another colour for each number. */
const picture = (kind: number, i: number, channels: 3 | 4 = 3) =>
  sharp(
    Uint8Array.from({ length: WIDTH * HEIGHT * channels }, (_, at) => {
      const [place, channel] = [Math.floor(at / channels), at % channels];
      const [x, y] = [(place % WIDTH) / WIDTH - 0.4 - i / 40, Math.floor(place / WIDTH) / HEIGHT - 0.5];
      const distance = kind === 1 ? Math.hypot(x, y) : Math.abs(x + y);
      const ink = 1 / (1 + Math.exp(30 * (distance - 0.25)));
      if (channel === 3) return 255 * Math.min(1, 0.2 + ink);
      return 255 * (0.9 - ink * (channel === i % 3 ? 0.2 : 0.8));
    }),
    { raw: { width: WIDTH, height: HEIGHT, channels } },
  );

const kinds = [
  (of: number, i: number) => ['png', picture(of, i).png()] as const,
  (of: number, i: number) => ['jpg', picture(of, i).withMetadata({ orientation: 6 }).jpeg({ quality: 95 })] as const,
  (of: number, i: number) => ['webp', picture(of, i, 4).webp({ lossless: true })] as const,
  (of: number, i: number) => ['PNG', picture(of, i).toColourspace('rgb16').png()] as const,
  (of: number, i: number) => ['jpeg', picture(of, i).withIccProfile('cmyk').jpeg({ quality: 95 })] as const,
  (of: number, i: number) => ['gif', picture(of, i).greyscale().gif()] as const,
];

/** The files of both folders by their paths. */
const files = new Map<string, Buffer>();

test.before(async () => {
  for (const [i, kind] of kinds.entries()) {
    for (const [of, name] of CLASSES.entries()) {
      const [ending, image] = kind(of, i);
      files.set(`shop/${name}/${i}.${ending}`, await image.toBuffer());
    }
    const [ending, image] = kind(1, i + 3);
    files.set(`phone/Käse "${i}", neu.${ending}`, await image.toBuffer());
  }
  const jpeg = files.get('shop/disc/1.jpg')!;
  files.set('phone/truncated.jpg', jpeg.subarray(0, jpeg.length / 2));
  files.set('phone/text.png', Buffer.from('no image'));
  files.set('phone/notes.txt', Buffer.from('buy milk'));
  files.set('phone/.hidden', Buffer.from(''));
  for (const [path, bytes] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
});

const ownTest = (name: string, body: (page: Visitor['page']) => Promise<unknown>): void =>
  test(name, async () => {
    visitor ??= await Visitor.open(site, '#task=own&size=28&batch=4&methods=pada&updateSteps=2');
    await body(visitor.page);
    await visitor.check();
  });

const choose = (side: 'source' | 'target', name: string) =>
  visitor.page.setInputFiles(`#own-${side} input[webkitdirectory]`, join(folder, name));

/** Drops copies of a picture. */
const drop = (side: 'source' | 'target', names: string[]) =>
  visitor.page.evaluate(
    ([host, bytes, all]) => {
      const dataTransfer = new DataTransfer();
      for (const name of all!) dataTransfer.items.add(new File([Uint8Array.from(bytes)], name));
      document.querySelector(`#own-${host}`)!.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true }));
    },
    [side, [...files.get('shop/disc/0.png')!], names] as const,
  );

/** Returns the pixels [height, width, rgba] that the page shows, by the names of the files. */
const shown = (side: 'source' | 'target') =>
  visitor.page.evaluate((host) => {
    const canvases = [...document.querySelectorAll<HTMLCanvasElement>(`#own-${host} canvas`)];
    return canvases.map((canvas): [string, number[]] => {
      const { width, height } = canvas;
      const copy = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })!;
      copy.drawImage(canvas, 0, 0);
      return [canvas.getAttribute('aria-label')!, [...copy.getImageData(0, 0, width, height).data]];
    });
  }, side);

/** Checks that the page decoded every file as the command line does. Browsers and sharp differ in how they make images smaller. */
async function checkPixels(options: DecodeOptions): Promise<void> {
  const decode = await sharpDecoder();
  for (const side of ['source', 'target'] as const) {
    const root = side === 'source' ? 'shop' : 'phone';
    for (const [name, pixels] of await shown(side)) {
      const { data, height, width } = await decode(files.get(`${root}/${name}`)!, options);
      const size = height * width;
      const at = (i: number, c: number) => data[options.channels === 3 ? c * size + i : i]!;
      const off = Array.from({ length: 3 * size }, (_, k) =>
        Math.abs(pixels[4 * Math.floor(k / 3) + (k % 3)]! - at(Math.floor(k / 3), k % 3)),
      );
      const mean = off.reduce((a, b) => a + b) / off.length;
      // They also convert from CMYK by slightly different rules.
      const [least, most] = name.endsWith('.jpeg') ? [10, 30] : [1.5, 20];
      assert.ok(mean < least && Math.max(...off) < most, `${name}: ${mean} on average, ${Math.max(...off)} at most`);
    }
  }
}

ownTest('waits for two folders, and lists what is in them and what is left out', async () => {
  await visitor.says('status', STATUS.choose);
  assert.ok(await visitor.page.locator('#start').isDisabled());
  await drop('target', ['a.png', 'b.png']);
  await visitor.allSay('#own-target .said-of', OWN.read('2 files', 2, [3, 28, 28]));
  await choose('source', 'shop');
  await choose('target', 'phone');
  await visitor.enabled('start');
  const said = async (side: string) => (await visitor.texts(`#own-${side} .said-of`))[0];
  assert.is(await said('source'), OWN.read('shop', 12, [3, 28, 28]));
  assert.is(await said('target'), OWN.read('phone', 6, [3, 28, 28]));
  const classes = CLASSES.map((name) => ({ name, count: 6 }));
  assert.is((await visitor.texts('#own-source .note'))[0], OWN.classes(classes));
  const left = (await visitor.texts('#own-target .problems li')).map((text) => text.split(':')[0]);
  assert.equal(left.sort(), ['notes.txt', 'text.png', 'truncated.jpg']);
  assert.equal(
    (await shown('target')).map(([name]) => name.normalize()).sort(),
    [...files.keys()]
      .filter((path) => path.includes('Käse'))
      .map((path) => path.slice(6).normalize())
      .sort(),
  );
});

ownTest('decodes every kind of file as the command line does', async (page) => {
  const said = async (text: string) => {
    await visitor.allSay('#own-target .said-of', text);
    await visitor.enabled('start');
  };
  await checkPixels({ channels: 3, size: [28, 28], resize: 'crop' });
  await page.selectOption('#resize', 'fit');
  await page.selectOption('#channels', '1');
  await said(OWN.read('phone', 6, [1, 28, 28]));
  await checkPixels({ channels: 1, size: [28, 28], resize: 'fit' });
  await page.selectOption('#resize', 'fill');
  await page.selectOption('#channels', '3');
  await said(OWN.read('phone', 6, [3, 28, 28]));
  await checkPixels({ channels: 3, size: [28, 28], resize: 'fill' });
});

let csv = '';
let network: Buffer;

ownTest('trains, labels all images, and saves the labels and the network as the command line does', async (page) => {
  await page.click('#step');
  await visitor.reach(1);
  await page.click('[data-by="pada"]');
  await visitor.says('labels-title', LABELS.title('pada', 1, 6));
  assert.is(await page.locator('#labels li').count(), 6);
  const saved = await visitor.download('Labels as CSV');
  csv = String(saved.bytes);
  const [head, ...rows] = csv.split('\r\n');
  assert.is(head, 'file,label,probability,second,secondProbability');
  assert.is(rows.length, 7);
  for (const row of rows.slice(0, 6)) {
    assert.match(
      row.normalize(),
      /^"Käse ""\d"", neu\.\w+",("Straße, alt"|disc),0\.\d{6},("Straße, alt"|disc),0\.\d{6}$/,
    );
    const [first, second] = [...row.matchAll(/,(0\.\d+)/g)].map(([, probability]) => Number(probability));
    assert.ok(first! >= second! && Math.abs(first! + second! - 1) < 1e-5, row);
  }
  network = (await visitor.download(FILES.network.label('pada'))).bytes;
  const { record, numClasses } = decodeModel(network, 'model');
  assert.equal(
    [record, numClasses],
    [{ arch: 'smallCnn', shape: [3, 28, 28], classNames: CLASSES, resize: 'fill', geometry: 'none' }, 2],
  );
  await page.click('#analyse');
  await visitor.says('status', STATUS.analysed);
  // Without labels of the target there is no map by true class, and there are no mistakes.
  const maps = page.locator('#analysis .maps canvas:visible');
  await maps.waitFor();
  assert.equal([await maps.count(), await page.locator('#analysis .tiles').count()], [1, 0]);
  assert.equal(await visitor.texts('#analysis tbody th'), [...CLASSES, ANALYSIS.all]);
});

ownTest('opens a saved model instead of labelled images, and labels the same', async (page) => {
  // Another form, which the model's replaces.
  await page.selectOption('#resize', 'crop');
  await page.setInputFiles('#own-model', { name: 'net.safetensors', mimeType: '', buffer: network });
  await page.locator('[data-by="model"]:enabled').waitFor();
  assert.is(await visitor.text('status'), STATUS.canLabel);
  assert.ok(await page.locator('#start').isDisabled());
  await page.click('[data-by="model"]');
  await visitor.says('labels-title', LABELS.title('model', undefined, 6));
  assert.is(String((await visitor.download('Labels as CSV')).bytes), csv);
  await page.setInputFiles('#own-model', { name: 'bad.safetensors', mimeType: '', buffer: Buffer.alloc(40) });
  await page.locator('#notice').waitFor();
  assert.match(await visitor.text('notice'), /bad\.safetensors: at byte \d+ expected/);
  await visitor.checkNames();
  await visitor.checkPhone();
});

test('its policy forbids the page and its worker to ask any other server, whatever headers the page came with', async () => {
  let asked = 0;
  const other = createServer((_, response) => {
    asked++;
    response
      .writeHead(200, { 'access-control-allow-origin': '*', 'cross-origin-resource-policy': 'cross-origin' })
      .end();
  });
  await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
  const plain = await serve([site.folder]);
  const address = `http://127.0.0.1:${(other.address() as AddressInfo).port}/`;
  const careless = await Visitor.open(
    { ...site, address: plain.address },
    `${site.folder.slice(1)}/index.html#task=own`,
  );
  try {
    const { page } = careless;
    await careless.says('status', STATUS.choose);
    const ask = (to: string) =>
      fetch(to).then(
        () => 'answered',
        () => 'refused',
      );
    assert.is(await page.evaluate(ask, address), 'refused');
    assert.is(await page.workers()[0]!.evaluate(ask, address), 'refused');
    assert.is(asked, 0);
  } finally {
    await careless.leave();
    plain.close();
    other.close();
  }
});

test.run();
