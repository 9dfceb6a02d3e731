// Adapts on the features of a pretrained network that onnxruntime-web runs on padagrad's own device, so they never leave the GPU.
//
//   npm install onnxruntime-web
//   npx padagrad run onnx-backbone.mjs MODEL.onnx      MODEL takes images f32 [n, 1, 16, 16] and returns features f32 [n, d]
//
// Shows: one device for two libraries, a tensor on another library's buffer (fromBuffer), and a data set of your own (Dataset). The images
// are bright stripes at four places. The target is darker, and contains two of the classes.
import { readFile } from 'node:fs/promises';
import { setFlagsFromString } from 'node:v8';
import { createGpu, Dataset, featureBatch, fromBuffer, mlp, native, tensor } from 'padagrad';
import { pada, predict, train } from 'padagrad/train';
import { create, globals } from 'webgpu';

const SIZE = 16;
const BATCH = 16;

function stripes(count, classes, brightness) {
  const images = new Float32Array(count * SIZE * SIZE);
  const labels = Uint32Array.from({ length: count }, (_, i) => i % classes);
  labels.forEach((label, i) => {
    for (let y = 0; y < SIZE; y++) {
      const start = (i * SIZE + y) * SIZE + 4 * label;
      images.fill(brightness - 0.02 * (i % 7), start, start + 3);
    }
  });
  return { images, labels, count };
}

/** Gives onnxruntime-web the names that it expects of a browser. A page needs none of this. */
function likeBrowser() {
  Object.assign(globalThis, globals);
  const value = { userAgent: 'Node', platform: process.platform, hardwareConcurrency: 1, gpu: create([]) };
  Object.defineProperty(globalThis, 'navigator', { value, configurable: true });
  // While it awaits only the GPU, and at its end, Node waits for V8 to optimise WebAssembly. The work is done on the GPU, so that is not worth it.
  setFlagsFromString('--liftoff-only');
  // onnxruntime-web writes from shared memory, which Dawn for Node refuses.
  const { writeBuffer } = GPUQueue.prototype;
  GPUQueue.prototype.writeBuffer = function (buffer, offset, data, from = 0, size = undefined) {
    const view = ArrayBuffer.isView(data) ? data : new Uint8Array(data);
    const end = size === undefined ? undefined : from + size;
    return writeBuffer.call(this, buffer, offset, view.slice(from, end));
  };
}

/** Feature vectors on the GPU, f32 [count, dim], with labels u32 [count] or null. */
class GpuFeatures extends Dataset {
  constructor(features, labels) {
    const [count, dim] = features.shape;
    super(features.gpu, count, BATCH);
    Object.assign(this, { features, labels, shape: [dim] });
  }

  batch(request) {
    return featureBatch(this, request);
  }
}

const [path] = process.argv.slice(2);
if (!path) throw new Error('usage: npx padagrad run onnx-backbone.mjs MODEL.onnx');
likeBrowser();
const gpu = await createGpu();
const ort = await import('onnxruntime-web/webgpu');
ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create(new Uint8Array(await readFile(path)), {
  executionProviders: [{ name: 'webgpu', device: gpu.native }],
  preferredOutputLocation: 'gpu-buffer',
});

/** Runs the backbone once on all images. Its output's buffer stays onnxruntime's until `output.dispose()`. */
async function featuresOf({ images, count }) {
  const shape = [count, 1, SIZE, SIZE];
  const x = tensor(gpu, images, shape);
  const input = ort.Tensor.fromGpuBuffer(native(x).buffer, { dataType: 'float32', dims: shape });
  const outputs = await session.run({ [session.inputNames[0]]: input });
  const output = outputs[session.outputNames[0]];
  return { output, features: fromBuffer(gpu, output.gpuBuffer, output.dims) };
}

const [labelled, unlabelled] = [stripes(200, 4, 1), stripes(100, 2, 0.7)];
const [forSource, forTarget] = [await featuresOf(labelled), await featuresOf(unlabelled)];
console.log(`the backbone returns ${forSource.output.dims[1]} features per image`);
const source = new GpuFeatures(forSource.features, tensor(gpu, labelled.labels));
const target = new GpuFeatures(forTarget.features, null);
const { trainer } = await train({
  ...{ gpu, source, target, numClasses: 4, model: mlp, method: pada({ classWeightUpdateSteps: 50 }) },
  ...{ iterations: 100, batchSize: BATCH },
});
const { labels } = await predict(gpu, { data: target, model: trainer.model });
const right = labels.filter((label, i) => label === unlabelled.labels[i]).length;
console.log(`${right >= 95 ? 'nearly all' : right} of ${unlabelled.count} target images are labelled correctly`);
trainer.dispose();
for (const { output } of [forSource, forTarget]) output.dispose();
gpu.dispose();
