import * as assert from 'uvu/assert';
import { createGpu } from '../../src/gemm/createGpu.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import type { Storage } from '../../src/gpu/storage.ts';
import type { MethodName } from '../../src/train/methods/named.ts';
import { disorder } from '../disorder.ts';
import { gpuTest, run } from '../harness.ts';
import { stripes, stripesTrainer } from './stripes.ts';

// Buffers are reused as soon as their last user has recorded its work, and captured steps share theirs. A kernel that reads
// an element that it did not write would get old values. Buffers full of NaN make that visible.

const NAN = 0x7fc00001;
const ITERATIONS = 12;

/** Private parts of the pool. */
interface Pooling {
  reuse(size: number, label: string): Storage | undefined;
  create(size: number, label: string, mappedAtCreation?: boolean): Storage;
  readonly scratch: ReadonlyMap<number, readonly Storage[]>;
}
const poolOf = (gpu: Gpu): Pooling => gpu.pool as unknown as Pooling;

/** Gives every tensor a new buffer full of NaN. */
function neverReuse(gpu: Gpu): void {
  const pool = poolOf(gpu);
  const create = pool.create.bind(pool);
  pool.reuse = () => undefined;
  pool.create = (size, label, filled = false) => {
    const storage = create(size, label, true);
    if (filled) return storage;
    new Uint32Array(storage.buffer.getMappedRange()).fill(NAN);
    storage.buffer.unmap();
    return storage;
  };
}

/** Fills the buffers that captured steps share, and free ones, with NaN. */
function poison(gpu: Gpu): void {
  gpu.submit();
  const { scratch } = poolOf(gpu);
  for (const [size, storages] of scratch)
    for (const { buffer } of storages) gpu.native.queue.writeBuffer(buffer, 0, new Uint32Array(size / 4).fill(NAN));
}

type Bits = Record<string, string>;

/** All that a training leaves behind, with two refreshes of the class weights, and what it says of labelled images. */
async function outcome(gpu: Gpu, method: MethodName, eager: boolean, before = () => {}): Promise<Bits> {
  const trainer = await stripesTrainer(gpu, { method, eager, classWeightUpdateSteps: 5 });
  const evaluator = trainer.evaluator(stripes(30, 3));
  for (let i = 0; i < ITERATIONS; i++) {
    before();
    await trainer.step();
  }
  before();
  const evaluation = await evaluator.run();
  const { tensors } = await trainer.state();
  const rows = await trainer.metrics();
  evaluator.dispose();
  trainer.dispose();
  const bits = [...tensors].map(([name, { data }]) => [name, new Uint8Array(data.buffer).join()]);
  return { ...Object.fromEntries(bits), evaluation: JSON.stringify(evaluation), rows: JSON.stringify(rows) };
}

function assertSame(how: string, bits: Bits, expected: Bits): void {
  assert.equal(Object.keys(bits), Object.keys(expected));
  for (const name in expected) assert.ok(bits[name] === expected[name], `${how}: ${name} differs`);
}

// These hold all ops of the others.
for (const method of ['pada', 'iwan', 'afn', 'self-training'] as const) {
  gpuTest(`${method}: no result depends on the old content of a buffer`, async (gpu) => {
    const expected = await outcome(gpu, method, false);
    const fresh = await createGpu({ ...gpu.options, validate: false });
    neverReuse(fresh);
    const poisoned = await createGpu({ ...gpu.options, validate: false });
    assertSame('every tensor in a buffer of its own', await outcome(fresh, method, true), expected);
    const shared = await outcome(poisoned, method, false, () => poison(poisoned));
    assertSame('shared buffers full of NaN', shared, expected);
    assert.ok(poolOf(poisoned).scratch.size > 10);
    fresh.dispose();
    poisoned.dispose();
  });
}

gpuTest('no result depends on the order of workgroups and invocations', async (gpu) => {
  const other = await createGpu({ ...gpu.options, validate: false });
  disorder(other.native)('reversed');
  assertSame('reversed order', await outcome(other, 'pada', false), await outcome(gpu, 'pada', false));
  other.dispose();
});

run();
