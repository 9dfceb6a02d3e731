// jax-js: each task is one function compiled by `jit`.
import { cnn, gradientsOf } from '../../.build/bench/peers/ours.mjs';

export async function open() {
  const jax = await import('@jax-js/jax');
  const ready = await jax.init();
  if (!ready.includes('webgpu')) throw new Error('jax-js finds no WebGPU');
  jax.defaultDevice('webgpu');
  return { name: 'jax-js', prepare: (task) => prepare(jax, task), dispose() {} };
}

async function prepare(jax, task) {
  if (task.bench === 'pada-step') return null;
  const { numpy: np, nn, jit } = jax;
  const array = ({ data, shape }) =>
    np.array(data instanceof Uint32Array ? Int32Array.from(data) : data).reshape([...shape]);
  const inputs = Object.fromEntries(Object.entries(task.inputs).map(([name, input]) => [name, array(input)]));
  await jax.blockUntilReady(Object.values(inputs));
  if (task.bench === 'cnn-step') return prepareStep(jax, inputs);
  const functions = {
    matmul: ({ a, b }) => np.matmul(a, b),
    'softmax-column-mean': ({ x }) => np.mean(nn.softmax(x, -1), 0),
    'cnn-forward': ({ x, ...weights }) => network(jax, x, weights),
  };
  const compute = jit(functions[task.bench]);
  const refs = () => Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, value.ref]));
  return {
    async run(times) {
      const results = Array.from({ length: times }, () => compute(refs()));
      await jax.blockUntilReady(results);
      for (const result of results) result.dispose();
    },
    outputs: async () => ({ [task.bench === 'cnn-forward' ? 'logits' : 'y']: await compute(refs()).data() }),
    dispose() {
      for (const value of Object.values(inputs)) value.dispose();
      compute.dispose();
    },
  };
}

/** Returns logits and consumes its arguments. */
function network({ numpy: np, nn, lax }, x, weights) {
  const pool = (y) => lax.reduceWindow(y, (window) => np.max(window), [2, 2], [2, 2]);
  const convolve = (y, index) => {
    const bias = weights[`${index}.bias`];
    return pool(
      nn.relu(
        lax
          .convGeneralDilated(y, weights[`${index}.weight`], [1, 1], 'VALID')
          .add(bias.reshape([1, bias.shape[0], 1, 1])),
      ),
    );
  };
  const linear = (y, index) => np.matmul(y, weights[`${index}.weight`].transpose()).add(weights[`${index}.bias`]);
  const features = convolve(convolve(x, 0), 3).reshape([cnn.BATCH, 1024]);
  return linear(nn.relu(linear(features, 7)), 9);
}

function prepareStep(jax, { x, labels, ...initial }) {
  const { numpy: np, nn, jit, tree, valueAndGrad } = jax;
  const lossOf = (weights, images, classes) => {
    const logProbabilities = nn.logSoftmax(network(jax, images, weights), -1);
    return np.mean(np.sum(logProbabilities.mul(nn.oneHot(classes, cnn.CLASSES)), -1)).mul(-1);
  };
  const step = jit((weights, momenta, images, classes) => {
    const [loss, gradients] = valueAndGrad(lossOf)(tree.ref(weights), images, classes);
    const moved = tree.map((momentum, gradient) => momentum.mul(cnn.MOMENTUM).add(gradient), momenta, gradients);
    const updated = tree.map(
      (weight, momentum) => weight.sub(momentum.mul(cnn.LEARNING_RATE)),
      weights,
      tree.ref(moved),
    );
    return { loss, weights: updated, momenta: moved };
  });
  let state = {
    loss: np.zeros([]),
    weights: initial,
    momenta: Object.fromEntries(Object.entries(initial).map(([name, weight]) => [name, np.zeros(weight.shape)])),
  };
  return {
    async run(times) {
      for (let i = 0; i < times; i++) {
        state.loss.dispose();
        state = step(state.weights, state.momenta, x.ref, labels.ref);
      }
      await jax.blockUntilReady(state);
    },
    async outputs() {
      const parameters = {};
      for (const [name, weight] of Object.entries(state.weights)) parameters[name] = await weight.ref.data();
      return { loss: await state.loss.ref.data(), ...gradientsOf(parameters) };
    },
    dispose() {
      tree.dispose(state);
      x.dispose();
      labels.dispose();
      step.dispose();
    },
  };
}
