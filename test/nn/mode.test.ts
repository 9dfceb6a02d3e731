import * as assert from 'uvu/assert';
import { capture } from '../../src/capture.ts';
import { Dropout, Sequential } from '../../src/nn/index.ts';
import { relu } from '../../src/ops/index.ts';
import { tensor } from '../../src/tensor.ts';
import { gpuTest, run } from '../harness.ts';

gpuTest('a captured step refuses to run in another mode than it was captured in', async (gpu) => {
  const layer = new Dropout({ p: 0.5 });
  const net = new Sequential(layer);
  const x = tensor(gpu, new Float32Array(64).fill(1));
  const step = await capture(gpu, () => net.forward(x));
  step.run();
  const dropped = (await step.result.read()).filter((v) => v === 0).length;
  assert.ok(dropped > 0);
  net.eval();
  assert.throws(
    () => step.run(),
    /^run: Dropout was captured in training mode; call train\(\) on it; or capture another step$/,
  );
  net.train();
  step.run();

  // A function that sets the mode itself does so at every run.
  const evaluating = await capture(gpu, () => {
    net.eval();
    return relu(net.forward(x));
  });
  assert.ok(layer.training, 'a capture runs nothing');
  evaluating.run();
  assert.not(layer.training);
  assert.equal(new Set(await evaluating.result.read()), new Set([1]));
  for (const mode of [true, false]) {
    net.train(mode);
    evaluating.run();
    assert.not(layer.training);
  }

  net.train();
  const restoring = await capture(gpu, () => {
    const restore = net.evalMode();
    const y = relu(net.forward(x));
    restore();
    return y;
  });
  restoring.run();
  assert.ok(layer.training);
  assert.equal(new Set(await restoring.result.read()), new Set([1]));
  for (const held of [step, evaluating, restoring, x]) held.dispose();
});

run();
