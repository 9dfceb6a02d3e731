import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { UsageError } from '../../src/cli/errors.ts';
import { parseConfig } from '../../src/cli/run/config.ts';
import { DataError } from '../../src/data/errors.ts';
import { decodeIdx, readImages } from '../../src/data/readers/idx.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/io/safetensors.ts';
import type { HostTensor } from '../../src/nn/stateDict.ts';
import { sizeOf } from '../../src/shape.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/train/checkpoint.ts';
import { defaultOptions } from '../../src/train/options.ts';
import { CONFIG } from '../cli/config.ts';
import { INPUTS, near, readAll } from './inputs.ts';

// Every reader of files gets thousands of damaged files. It must load a file or say where it is wrong, quickly and in little memory.

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const gzip = (bytes: Uint8Array): Uint8Array => new Uint8Array(gzipSync(bytes));

function idx(shape: readonly number[]): Uint8Array {
  const bytes = Uint8Array.from({ length: 4 + 4 * shape.length + sizeOf(shape) }, (_, i) => i % 10);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x0800 + shape.length);
  for (const [i, size] of shape.entries()) view.setUint32(4 + 4 * i, size);
  return bytes;
}

const images = [idx([3, 4, 5]), idx([20, 6, 6]), idx([1, 1, 1])];

test('IDX', async () => {
  await readAll(
    'IDX',
    images,
    (bytes) => decodeIdx({ file: 'images', bytes }, 3),
    ({ shape, data }, bytes) => {
      assert.is(sizeOf(shape), data.length);
      assert.is(data.length + 16, bytes.length);
    },
  );
});

test('images with labels', async () => {
  await readAll(
    'images with labels',
    [idx([20])],
    (bytes) =>
      readImages({ images: { file: 'images', bytes: images[1]! }, labels: { file: 'labels', bytes }, numClasses: 10 }),
    ({ labels, count }) => {
      assert.is(labels!.length, count);
      assert.ok(labels!.every((label) => label < 10));
    },
  );
});

test('gzip with damaged compressed bytes', async () => {
  await readAll(
    'gzip',
    images.map(gzip),
    (bytes) => decodeIdx({ file: 'images.gz', bytes }, 3),
    ({ shape, data }) => assert.is(sizeOf(shape), data.length),
  );
});

test('gzip of damaged contents', async () => {
  const bombs = [new Uint8Array(2 ** 20), Uint8Array.from(Buffer.concat([idx([1, 1, 1]), new Uint8Array(2 ** 20)]))];
  await readAll(
    'gzip of damaged IDX',
    images.map(gzip),
    (bytes) => decodeIdx({ file: 'images.gz', bytes }, 3),
    ({ shape, data }) => assert.is(sizeOf(shape), data.length),
    near([...images, ...bombs]).map(gzip),
  );
});

const tensors = new Map<string, HostTensor>([
  ['__proto__', { shape: [3], data: Float32Array.of(1, Number.NaN, -0) }],
  ['head.weight', { shape: [2, 3], data: new Float32Array(6).fill(0.5) }],
  ['bottleneck.0.weight', { shape: [20, 25], data: new Float32Array(500).fill(-0.25) }],
  ['head.num_batches_tracked', { shape: [], data: BigInt64Array.of(7n) }],
  ['order', { shape: [4], data: Uint32Array.of(3, 1, 0, 2) }],
  ['optimizer.lr', { shape: [], data: Float64Array.of(0.01) }],
]);
const bits = ({ shape, data }: HostTensor): string =>
  `${data.constructor.name} ${shape}: ${Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex')}`;

const expectTensors = ({ tensors: read }: { tensors: ReadonlyMap<string, HostTensor> }): void => {
  for (const { shape, data } of read.values()) assert.is(sizeOf(shape), data.length);
  const again = decodeSafetensors(encodeSafetensors(read)).tensors;
  assert.equal(again.size, read.size);
  for (const [name, tensor] of read) assert.is(bits(again.get(name)!), bits(tensor));
};

test('safetensors', async () => {
  const good = [encodeSafetensors(tensors), encodeSafetensors(new Map()), encodeSafetensors(tensors, { a: 'b' })];
  await readAll('safetensors', good, (bytes) => decodeSafetensors(bytes, 'model.safetensors'), expectTensors);
});

test('safetensors with arbitrary JSON headers', async () => {
  const size = fc.oneof(fc.nat(4), fc.constantFrom(-1, 0.5, 2 ** 31, 2 ** 53, 1e308, null, '1'));
  const entry = fc.record({
    dtype: fc.constantFrom('F32', 'F64', 'F16', 'BF16', 'I64', 'U32', 'BOOL', 'toString', 7),
    shape: fc.oneof(fc.array(size, { maxLength: 3 }), fc.jsonValue()),
    data_offsets: fc.oneof(fc.tuple(fc.nat(32), fc.nat(32)), fc.array(size, { maxLength: 3 })),
  });
  const header = fc.dictionary(
    fc.oneof(fc.string(), fc.constantFrom('__proto__', '__metadata__', 'constructor')),
    fc.oneof({ arbitrary: entry, weight: 4 }, fc.jsonValue()),
    { maxKeys: 3 },
  );
  const files = fc.tuple(header, fc.uint8Array({ maxLength: 64 })).map(([json, data]) => {
    const text = bytesOf(JSON.stringify(json));
    const length = new DataView(new ArrayBuffer(8));
    length.setBigUint64(0, BigInt(text.length), true);
    return Uint8Array.from(Buffer.concat([new Uint8Array(length.buffer), text, data]));
  });
  await readAll('safetensors headers', [], (bytes) => decodeSafetensors(bytes, 'a.safetensors'), expectTensors, files);
});

test('checkpoints: only unchanged files load', async () => {
  const good = await Promise.all(
    [0, 42].map((iteration) =>
      encodeCheckpoint({
        iteration,
        method: { name: 'pada', options: { temperature: 0.1 } },
        jitter: {},
        options: defaultOptions,
        tensors,
      }),
    ),
  );
  await readAll(
    'checkpoints',
    good,
    (bytes) => decodeCheckpoint(bytes, 'checkpoint-42.safetensors'),
    (_, bytes) => assert.ok(good.some((one) => Buffer.from(one).equals(bytes))),
  );
});

test('checkpoints with a correct checksum and arbitrary texts', async () => {
  const texts = fc.record({
    iteration: fc.oneof(fc.json(), fc.string()),
    options: fc.oneof(fc.json(), fc.constant('{}')),
    name: fc.json(),
    own: fc.json(),
    jitter: fc.json(),
  });
  await fc.assert(
    fc.asyncProperty(texts, async ({ iteration, options, name, own, jitter: amounts }) => {
      const method = { name: JSON.parse(name), options: JSON.parse(own) };
      const jitter = JSON.parse(amounts);
      const wrong = { iteration, method, jitter, options: JSON.parse(options), tensors };
      const bytes = await encodeCheckpoint(wrong as never);
      await decodeCheckpoint(bytes).catch((error) => {
        if (!(error instanceof DataError)) throw error;
      });
    }),
    { numRuns: INPUTS },
  );
});

const config = {
  ...CONFIG,
  task: { ...CONFIG.task, targetClasses: [0, 1, 2], sourceLimit: 600, targetTest: 'mnist' },
};

test('config.json', async () => {
  await readAll(
    'config.json',
    [bytesOf(JSON.stringify(config)), bytesOf(JSON.stringify(config, null, 2))],
    (bytes) => parseConfig(bytes),
    ({ options, task }) => {
      assert.ok(options.iterations >= 0 && options.temperature > 0);
      assert.type(task.source, 'string');
    },
    undefined,
    (error) => error instanceof UsageError && error.message.startsWith('config.json: '),
  );
});

test.run();
