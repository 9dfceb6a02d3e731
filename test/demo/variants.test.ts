import * as assert from 'uvu/assert';
import type { Shelf } from '../../demo/engine/shelf.ts';
import { applyVariants } from '../../demo/engine/variants.ts';
import { type GemmVariants, gemmVariants } from '../../src/gemm/variants.ts';
import { createGpu, type Gpu } from '../../src/gpu/gpu.ts';
import { completeOptions, type Method } from '../../src/train/options.ts';
import { gpuTest, run } from '../harness.ts';
import { stripesData } from '../train/stripes.ts';

// The page's choice of variants, with a shelf of the test's own in the place of the browser's database.

const training = (method: Method) => completeOptions({ method, batchSize: 8 });
const HIDDEN = 'linear 16x128x32';
const OTHER: GemmVariants = { [HIDDEN]: { family: 'plain', tile: 32, slices: 2 } };

function shelfOf(things: Map<string, unknown>): Shelf & { puts: number } {
  return {
    puts: 0,
    get: async (name) => things.get(name),
    async put(name, thing) {
      this.puts++;
      things.set(name, thing);
    },
  };
}

/** Fails where anything is measured. */
async function unmeasured(use: (gpu: Gpu) => Promise<void>): Promise<void> {
  const gpu = Object.assign(await createGpu(), { profile: () => assert.unreachable('something was measured') });
  await use(gpu);
  gpu.dispose();
}

gpuTest('what was chosen is kept, and the next visit measures nothing', async () => {
  const things = new Map<string, unknown>();
  const first = await createGpu();
  const chosen = await applyVariants(
    first,
    stripesData(),
    [training('dann'), training('source-only')],
    {},
    shelfOf(things),
  );
  assert.equal(gemmVariants(first), chosen);
  first.dispose();
  assert.equal([...things.values()], [chosen]);
  assert.match([...things.keys()][0]!, /^\["\d+\.\d+\.\d+",.*"gemmFamily"/);
  assert.ok(chosen[HIDDEN] && chosen['linear 8x128x32'], 'of both trainings');
  await unmeasured(async (gpu) => {
    const kept = shelfOf(things);
    const again = await applyVariants(gpu, stripesData(), [training('source-only')], {}, kept);
    assert.equal(again, Object.fromEntries(Object.keys(again).map((of) => [of, chosen[of]])));
    assert.is(kept.puts, 0);
  });
});

gpuTest('a training goes on with what it began with, which is kept for no other', async () => {
  const things = new Map<string, unknown>();
  const first = await createGpu();
  const begun = await applyVariants(first, stripesData(), [training('pada')], {}, shelfOf(things));
  first.dispose();
  await unmeasured(async (gpu) => {
    const kept = shelfOf(things);
    const mixed = await applyVariants(gpu, stripesData(), [training('pada')], { ...begun, ...OTHER }, kept);
    assert.equal(mixed, { ...begun, ...OTHER });
    assert.equal(gemmVariants(gpu), mixed);
    assert.is(kept.puts, 0);
  });
});

gpuTest('what lies there and is no choice is replaced by one', async () => {
  for (const thing of ['noise', { [HIDDEN]: { family: 'magic' } }, null]) {
    const gpu = await createGpu();
    const things = new Map<string, unknown>();
    const kept: Shelf = { get: async () => thing, put: async (name, chosen) => void things.set(name, chosen) };
    const chosen = await applyVariants(gpu, stripesData(), [training('pada')], {}, kept);
    assert.equal([...things.values()], [chosen]);
    gpu.dispose();
  }
});

run();
