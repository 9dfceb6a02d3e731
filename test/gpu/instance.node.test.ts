import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { patiently } from '../../src/gpu/instance.node.ts';

// How Node waits for the GPU; the test needs none.

test('consecutive waits leave one callback per turn of the event loop', async () => {
  const own = globalThis.setImmediate;
  let asked = 0;
  globalThis.setImmediate = ((...args: Parameters<typeof own>) => {
    asked++;
    return own(...args);
  }) as typeof own;
  try {
    for (let i = 0; i < 200; i++) await patiently(new Promise<void>((resolve) => own(resolve)));
    asked = 0;
    const TURNS = 20;
    let left = TURNS;
    const long = new Promise<void>((resolve) => {
      const turn = () => (left-- > 0 ? void own(turn) : resolve());
      own(turn);
    });
    await patiently(long);
    assert.ok(asked <= TURNS + 2, `${asked} in ${TURNS} turns`);
  } finally {
    globalThis.setImmediate = own;
  }
  await new Promise((resolve) => setImmediate(resolve));
});

test.run();
