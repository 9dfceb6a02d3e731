// TensorFlow.js on its WebGPU backend. Its images are n h w c, so weights are transposed on input and output.
import { cnn, gradientsOf } from '../../.build/bench/peers/ours.mjs';

export async function open() {
  const tf = (await import('@tensorflow/tfjs')).default ?? (await import('@tensorflow/tfjs'));
  await import('@tensorflow/tfjs-backend-webgpu');
  if (!(await tf.setBackend('webgpu'))) throw new Error('tfjs finds no WebGPU');
  await tf.ready();
  return { name: 'tfjs-webgpu', prepare: async (task) => prepare(tf, task), dispose() {} };
}

function prepare(tf, task) {
  if (task.bench === 'pada-step') return null;
  if (task.bench === 'cnn-forward') return prepareForward(tf, task);
  if (task.bench === 'cnn-step') return prepareStep(tf, task);
  const inputs = Object.fromEntries(
    Object.entries(task.inputs).map(([name, { data, shape }]) => [name, tf.tensor(data, [...shape])]),
  );
  const compute =
    task.bench === 'matmul'
      ? () => tf.matMul(inputs.a, inputs.b)
      : () => tf.tidy(() => tf.mean(tf.softmax(inputs.x), 0));
  return {
    run: (times) => repeat(tf, times, () => compute().dispose()),
    outputs: async () => ({ y: await taken(compute()) }),
    dispose: () => tf.dispose(inputs),
  };
}

/** Runs it and waits for the queue. tfjs computes a tensor even if it was disposed. */
async function repeat(tf, times, run) {
  for (let i = 0; i < times; i++) run();
  const backend = tf.backend();
  if (backend.commandEncoder) {
    backend.endComputePassEncoder();
    backend.submitQueue();
  }
  await backend.queue.onSubmittedWorkDone();
}

async function taken(tensor) {
  const data = await tensor.data();
  tensor.dispose();
  return data;
}

// tfjs's layout of each parameter: o c r s becomes r s c o, [out, in] becomes [in, out], and c p q after the last pooling becomes
// p q c.
const toOwn = {
  '0.weight': (tf, w) => tf.transpose(w, [2, 3, 1, 0]),
  '3.weight': (tf, w) => tf.transpose(w, [2, 3, 1, 0]),
  '7.weight': (tf, w) => tf.reshape(tf.transpose(tf.reshape(w, [128, 64, 4, 4]), [2, 3, 1, 0]), [1024, 128]),
  '9.weight': (tf, w) => tf.transpose(w),
};
const fromOwn = {
  '0.weight': (tf, w) => tf.transpose(w, [3, 2, 0, 1]),
  '3.weight': (tf, w) => tf.transpose(w, [3, 2, 0, 1]),
  '7.weight': (tf, w) => tf.reshape(tf.transpose(tf.reshape(w, [4, 4, 64, 128]), [3, 2, 0, 1]), [128, 1024]),
  '9.weight': (tf, w) => tf.transpose(w),
};

function load(tf, { x, labels, ...weights }) {
  const images = tf.tidy(() => tf.transpose(tf.tensor(x.data, [...x.shape]), [0, 2, 3, 1]));
  const parameters = Object.fromEntries(
    Object.entries(weights).map(([name, { data, shape }]) => {
      const own = tf.tidy(() => {
        const given = tf.tensor(data, [...shape]);
        return toOwn[name]?.(tf, given) ?? given;
      });
      return [name, own];
    }),
  );
  return { images, parameters };
}

function network(tf, x, weights) {
  const convolve = (y, index) =>
    tf.maxPool(
      tf.relu(tf.add(tf.conv2d(y, weights[`${index}.weight`], 1, 'valid'), weights[`${index}.bias`])),
      2,
      2,
      'valid',
    );
  const linear = (y, index) => tf.add(tf.matMul(y, weights[`${index}.weight`]), weights[`${index}.bias`]);
  const features = tf.reshape(convolve(convolve(x, 0), 3), [cnn.BATCH, 1024]);
  return linear(tf.relu(linear(features, 7)), 9);
}

function prepareForward(tf, task) {
  const { images, parameters } = load(tf, task.inputs);
  const compute = () => tf.tidy(() => network(tf, images, parameters));
  return {
    run: (times) => repeat(tf, times, () => compute().dispose()),
    outputs: async () => ({ logits: await taken(compute()) }),
    dispose: () => tf.dispose([images, parameters]),
  };
}

function prepareStep(tf, task) {
  const { images, parameters } = load(tf, task.inputs);
  const variables = Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, tf.variable(value)]));
  tf.dispose(parameters);
  const targets = tf.oneHot(tf.tensor(Int32Array.from(task.inputs.labels.data), [cnn.BATCH], 'int32'), cnn.CLASSES);
  const optimizer = tf.train.momentum(cnn.LEARNING_RATE, cnn.MOMENTUM);
  const list = Object.values(variables);
  let loss;
  const step = () => {
    loss?.dispose();
    loss = optimizer.minimize(() => tf.losses.softmaxCrossEntropy(targets, network(tf, images, variables)), true, list);
  };
  return {
    run: (times) => repeat(tf, times, step),
    async outputs() {
      const parameters = {};
      for (const [name, variable] of Object.entries(variables))
        parameters[name] = await taken(tf.tidy(() => fromOwn[name]?.(tf, variable) ?? tf.clone(variable)));
      return { loss: await loss.data(), ...gradientsOf(parameters) };
    },
    dispose() {
      optimizer.dispose();
      tf.dispose([images, targets, loss, list]);
    },
  };
}
