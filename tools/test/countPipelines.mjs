// Loaded into every process of a test run: appends a line to PADAGRAD_TEST_PIPELINES for each pipeline that the process makes.
// With a cold shader cache a software adapter spends most of a run compiling pipelines, so their number explains the time.
import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import process from 'node:process';

const file = process.env.PADAGRAD_TEST_PIPELINES;
const prototype = await import('webgpu').then(
  ({ globals }) => globals.GPUDevice.prototype,
  () => undefined,
);
if (file && prototype) {
  const codes = new WeakMap();
  const replace = (name, work) => {
    const original = prototype[name];
    prototype[name] = function (descriptor) {
      const made = original.call(this, descriptor);
      work(descriptor, made);
      return made;
    };
  };
  const note = ({ compute: { module, entryPoint, constants = {} } }) => {
    const kernel = JSON.stringify([codes.get(module), entryPoint, constants]);
    appendFileSync(file, `${createHash('sha256').update(kernel).digest('hex')}\n`);
  };
  replace('createShaderModule', ({ code }, module) => codes.set(module, code));
  replace('createComputePipeline', note);
  replace('createComputePipelineAsync', note);
}
