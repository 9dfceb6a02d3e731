import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as inBrowser from '../../src/gpu/instance.browser.ts';
import { patiently, remedyOf } from '../../src/gpu/instance.node.ts';

// How Node waits for the GPU, and what the errors advise if there is no WebGPU; the tests need no GPU.

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

test('the advice depends on why Dawn is not loaded', () => {
  const remedy = (message: string, code?: string) => remedyOf(Object.assign(new Error(message), code && { code }));
  assert.is(remedy("Cannot find package 'webgpu'", 'ERR_MODULE_NOT_FOUND'), 'run `npm i webgpu`');
  const swallowed = remedy("Cannot find module '/app/dist/linux-x64/dawn.node'", 'MODULE_NOT_FOUND');
  assert.match(swallowed, 'esbuild --external:webgpu');
  assert.match(
    remedy('Requires ffi access to "dawn.node", run again with the --allow-ffi flag'),
    'Deno with --allow-ffi',
  );
  assert.match(remedy('ld-linux-x86-64.so.2: cannot open shared object file', 'ERR_DLOPEN_FAILED'), 'glibc');
});

test('without navigator.gpu the advice is for browsers and Deno', async () => {
  const message = await inBrowser.webgpu().then(String, (error: Error) => error.message);
  assert.match(message, 'this browser or Deno does not have it; use a current Chrome');
});

test.run();
