import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DataError } from '../../src/data/errors.ts';
import { encodeSafetensors } from '../../src/io/safetensors.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../../src/train/checkpoint.ts';
import { completeOptions } from '../../src/train/options.ts';

const checkpoint: Checkpoint = {
  iteration: 42,
  method: { name: 'pada', options: { tradeOff: 1, temperature: 0.05 } },
  jitter: {},
  geometry: 'canonical',
  options: completeOptions({ seed: 7 }),
  tensors: new Map([
    ['model.weight', { shape: [2, 2], data: Float32Array.of(1, Number.NaN, -0, 1e-40) }],
    ['model.num_batches_tracked', { shape: [], data: BigInt64Array.of(42n) }],
    ['optimizer.lr', { shape: [], data: Float64Array.of(0.01) }],
    ['source.order', { shape: [3], data: Uint32Array.of(2, 0, 1) }],
  ]),
};

const refusal = (bytes: Uint8Array): Promise<unknown> =>
  decodeCheckpoint(bytes, 'a.checkpoint').then(
    () => undefined,
    (error) => error,
  );

test('a checkpoint decodes to its own content, and its bytes are deterministic', async () => {
  const bytes = await encodeCheckpoint(checkpoint);
  assert.equal(bytes, await encodeCheckpoint(checkpoint));
  const read = await decodeCheckpoint(bytes);
  assert.equal({ ...read, tensors: 0 }, { ...checkpoint, tensors: 0 });
  assert.equal([...read.tensors.keys()].sort(), [...checkpoint.tensors.keys()].sort());
  for (const [name, { shape, data }] of checkpoint.tensors) {
    const back = read.tensors.get(name)!;
    assert.equal(back.shape, shape);
    assert.is(back.data.constructor, data.constructor);
    assert.equal(new Uint8Array(back.data.buffer), new Uint8Array(data.buffer), name);
  }
});

test('decoding leaves the bytes unchanged, also in a view whose slice() does not copy', async () => {
  const bytes = await encodeCheckpoint(checkpoint);
  const view = Object.assign(new Uint8Array(bytes), { slice: Uint8Array.prototype.subarray });
  await decodeCheckpoint(view);
  assert.ok(view.every((byte, at) => byte === bytes[at]));
});

test('any changed byte is refused', async () => {
  const bytes = await encodeCheckpoint(checkpoint);
  for (let at = 0; at < bytes.length; at++) {
    const damaged = bytes.slice();
    damaged[at]! ^= 1;
    const error = await refusal(damaged);
    assert.instance(error, DataError, `byte ${at} of ${bytes.length}`);
    assert.match((error as Error).message, 'a.checkpoint');
  }
});

test('a file cut at any byte is refused', async () => {
  const bytes = await encodeCheckpoint(checkpoint);
  for (let length = 0; length < bytes.length; length++)
    assert.instance(await refusal(bytes.slice(0, length)), DataError);
});

test('other safetensors files are refused', async () => {
  const error = (await refusal(encodeSafetensors(checkpoint.tensors))) as Error;
  assert.match(error.message, /a padagrad checkpoint 1/);
});

test.run();
