// onnxruntime-web on its WebGPU execution provider; inputs and outputs stay on the GPU. It does not train.
import { cnn } from '../../.build/bench/peers/ours.mjs';
import { onnxModel } from './onnx.mjs';

export async function open() {
  const ort = await import('onnxruntime-web/webgpu');
  ort.env.wasm.numThreads = 1;
  return { name: 'ort-web', prepare: (task) => prepare(ort, task), dispose() {} };
}

const MODELS = {
  matmul: ({ a, b }) => ({
    nodes: [{ op: 'MatMul', inputs: ['a', 'b'], output: 'y' }],
    inputs: { a: a.shape, b: b.shape },
    outputs: { y: [a.shape[0], b.shape[1]] },
  }),
  'softmax-column-mean': ({ x }) => ({
    nodes: [
      { op: 'Softmax', inputs: ['x'], output: 'p', attributes: { axis: 1 } },
      { op: 'ReduceMean', inputs: ['p'], output: 'y', attributes: { axes: [0], keepdims: 0 } },
    ],
    inputs: { x: x.shape },
    outputs: { y: [x.shape[1]] },
  }),
  'cnn-forward': ({ x, ...constants }) => ({
    nodes: [
      { op: 'Conv', inputs: ['x', '0.weight', '0.bias'], output: 'c1' },
      { op: 'Relu', inputs: ['c1'], output: 'r1' },
      { op: 'MaxPool', inputs: ['r1'], output: 'p1', attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
      { op: 'Conv', inputs: ['p1', '3.weight', '3.bias'], output: 'c2' },
      { op: 'Relu', inputs: ['c2'], output: 'r2' },
      { op: 'MaxPool', inputs: ['r2'], output: 'p2', attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
      { op: 'Flatten', inputs: ['p2'], output: 'f' },
      { op: 'Gemm', inputs: ['f', '7.weight', '7.bias'], output: 'h', attributes: { transB: 1 } },
      { op: 'Relu', inputs: ['h'], output: 'r3' },
      { op: 'Gemm', inputs: ['r3', '9.weight', '9.bias'], output: 'logits', attributes: { transB: 1 } },
    ],
    constants,
    inputs: { x: x.shape },
    outputs: { logits: [cnn.BATCH, cnn.CLASSES] },
  }),
};

async function prepare(ort, task) {
  const makeModel = MODELS[task.bench];
  if (!makeModel) return null;
  const model = makeModel(task.inputs);
  const session = await ort.InferenceSession.create(onnxModel(model), {
    executionProviders: ['webgpu'],
    preferredOutputLocation: 'gpu-buffer',
  });
  const device = await ort.env.webgpu.device;
  const buffers = [];
  const feeds = Object.fromEntries(
    Object.keys(model.inputs).map((name) => {
      const { data, shape } = task.inputs[name];
      const buffer = device.createBuffer({ size: data.byteLength, usage: 0x80 | 0x4 | 0x8, mappedAtCreation: true });
      new Float32Array(buffer.getMappedRange()).set(data);
      buffer.unmap();
      buffers.push(buffer);
      return [name, ort.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims: [...shape] })];
    }),
  );
  const [output] = Object.keys(model.outputs);
  return {
    async run(times) {
      for (let i = 0; i < times; i++) (await session.run(feeds))[output].dispose();
      await device.queue.onSubmittedWorkDone();
    },
    outputs: async () => ({ [output]: await (await session.run(feeds))[output].getData(true) }),
    async dispose() {
      await session.release();
      for (const buffer of buffers) buffer.destroy();
    },
  };
}
