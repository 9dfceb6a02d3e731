import * as assert from 'uvu/assert';
import { countCalls } from '../../src/debug/deviceCalls.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { BatchNorm1d, Conv2d, Flatten, Linear, MaxPool2d, type Module, ReLU, Sequential } from '../../src/nn/index.ts';
import { relu, scale, sub } from '../../src/ops/index.ts';
import { Random } from '../../src/random.ts';
import { type Tensor, tensor, write } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, gpuTest, run, seeded, uniform } from '../harness.ts';

/** The identity on two features. */
function identity<T extends Linear>(layer: T): T {
  write(layer.weight, Float32Array.of(1, 0, 0, 1));
  write(layer.bias!, Float32Array.of(0, 0));
  return layer;
}
const options = () => ({ inFeatures: 2, outFeatures: 2, random: new Random(1) });
const linear = (gpu: Gpu): Linear => identity(new Linear(gpu, options()));

class Leaky extends ReLU {
  override forward(x: Tensor): Tensor {
    return sub(relu(x), scale(relu(scale(x, -1)), 0.1));
  }
}
class Doubled extends Linear {
  override forward(x: Tensor): Tensor {
    return scale(super.forward(x), 2);
  }
}
/** Hands the options on, so relu would come before the shift. */
class Shifted extends Linear {
  override forward(x: Tensor, options?: { relu?: boolean }): Tensor {
    return sub(super.forward(x, options), tensor(this.weight.gpu, [[1, 1]]));
  }
}
class Named extends Linear {}
class Plain extends ReLU {}
class Negative extends BatchNorm1d {
  override forward(x: Tensor): Tensor {
    return scale(super.forward(x), -1);
  }
}

async function valuesOf(layers: Module | readonly Module[], x: Tensor): Promise<number[]> {
  const net = Array.isArray(layers) ? new Sequential(...layers) : (layers as Module);
  const y = tidy(() => net.forward(x));
  const values = [...(await y.read())];
  y.dispose();
  return values;
}

gpuTest('a Sequential gives what its layers give, however they override forward', async (gpu) => {
  const x = tensor(gpu, [[-1, 3]]);
  const cases: [name: string, layers: Module[], expected: number[]][] = [
    ['Doubled, ReLU', [identity(new Doubled(gpu, options())), new ReLU()], [0, 6]],
    ['Linear, Leaky', [linear(gpu), new Leaky()], [-0.1, 3]],
    ['only Leaky', [new Leaky()], [-0.1, 3]],
    ['Shifted, ReLU', [identity(new Shifted(gpu, options())), new ReLU()], [0, 2]],
    ['Shifted, Leaky', [identity(new Shifted(gpu, options())), new Leaky()], [-0.2, 2]],
    ['Named, Plain', [identity(new Named(gpu, options())), new Plain()], [0, 3]],
    ['Linear, ReLU, ReLU', [linear(gpu), new ReLU(), new ReLU()], [0, 3]],
    ['Negative, ReLU', [new Negative(gpu, { numFeatures: 2 }).eval(), new ReLU()], [1, 0]],
    ['a Sequential in a Sequential', [new Sequential(linear(gpu)), new ReLU()], [0, 3]],
  ];
  for (const [name, layers, expected] of cases) {
    assertClose(name, await valuesOf(layers, x), expected, { rtol: 1e-4, atol: 1e-7 });
    // The same layers one by one, and after a listing, which hooks into forward.
    const net = new Sequential(...layers);
    for (const layer of layers) layer.namedModules().next();
    const modes = [...net.namedModules()].map(([, module]) => module.training);
    assert.is(modes.length >= layers.length, true);
    assertClose(`${name}, listed`, await valuesOf(net, x), expected, { rtol: 1e-4, atol: 1e-7 });
    net.dispose();
  }
  x.dispose();
});

gpuTest('a pool that overrides forward gets no ReLU, the layer before does', async (gpu) => {
  class Least extends MaxPool2d {
    override forward(x: Tensor): Tensor {
      return scale(super.forward(scale(x, -1)), -1);
    }
  }
  const data = uniform([1, 1, 4, 8], seeded(1));
  const x = tensor(gpu, data, [1, 1, 4, 8]);
  const pools = { max: new MaxPool2d({ kernelSize: 2 }), least: new Least({ kernelSize: 2 }) };
  for (const [name, pool] of Object.entries(pools)) {
    const expected = Array.from({ length: 8 }, (_, i) => {
      const at = 16 * Math.floor(i / 4) + 2 * (i % 4);
      const window = [at, at + 1, at + 8, at + 9].map((j) => Math.max(0, data[j]!));
      return name === 'max' ? Math.max(...window) : Math.min(...window);
    });
    assert.equal(await valuesOf([new ReLU(), pool], x), expected, name);
  }
  x.dispose();
});

gpuTest('a convolution pools as the max pool after it would, unless one of them is not what it seems', async (gpu) => {
  class Least extends MaxPool2d {
    override forward(x: Tensor): Tensor {
      return scale(super.forward(scale(x, -1)), -1);
    }
  }
  class Negated extends Conv2d {
    override forward(x: Tensor, options?: object): Tensor {
      return scale(super.forward(x, options), -1);
    }
  }
  const x = tensor(gpu, uniform([1, 1, 5, 7], seeded(1)), [1, 1, 5, 7]);
  const convolution = { inChannels: 1, outChannels: 2, kernelSize: 2, random: new Random(1) };
  const [conv, rectifier, half] = [new Conv2d(gpu, convolution), new ReLU(), new MaxPool2d({ kernelSize: 2 })];
  const cases: Module[][] = [
    [conv, rectifier, half],
    [conv, half, rectifier],
    [conv, rectifier, rectifier, half],
    [conv, new Least({ kernelSize: 2 })],
    [new Negated(gpu, convolution), half],
    [conv, new MaxPool2d({ kernelSize: 2, stride: 1 })],
    [conv, new MaxPool2d({ kernelSize: 2, padding: 1 })],
    [new Conv2d(gpu, { ...convolution, kernelSize: 1 }), new MaxPool2d({ kernelSize: 2, ceilMode: true })],
  ];
  for (const [i, layers] of cases.entries()) {
    const apart = tidy(() => layers.reduce((y, layer) => layer.forward(y), x));
    assert.equal(await valuesOf(layers, x), [...(await apart.read())], `case ${i}`);
    apart.dispose();
  }
  for (const held of [x, ...cases.flat()]) held.dispose();
});

gpuTest('a forward that is replaced on an instance is called as it is', async (gpu) => {
  const x = tensor(gpu, [[-1, 3]]);
  for (const listed of [false, true]) {
    const layer = linear(gpu);
    const rectifier = new ReLU();
    const net = new Sequential(layer, rectifier);
    if (listed) for (const module of [layer, rectifier, net]) module.train();
    const original = layer.forward;
    layer.forward = (y: Tensor) => scale(original.call(layer, y), 3);
    assert.equal(await valuesOf(net, x), [0, 9]);
    rectifier.forward = (y) => scale(y, -1);
    assert.equal(await valuesOf(net, x), [3, -9]);
    net.dispose();
  }
  x.dispose();
});

gpuTest('layers may change after the construction, and appear twice', async (gpu) => {
  const x = tensor(gpu, [[-1, 3]]);
  const [layer, rectifier] = [linear(gpu), new ReLU()];
  const net = new Sequential(layer, rectifier);
  const layers = net.layers as Module[];
  assert.equal(await valuesOf(net, x), [0, 3]);
  layers.push(identity(new Doubled(gpu, options())), rectifier);
  assert.equal(await valuesOf(net, x), [0, 6]);
  layers[1] = new Leaky();
  assertClose('replaced', await valuesOf(net, x), [0, 6], { rtol: 1e-6, atol: 0 });
  for (const removed of layers.splice(2, 2)) removed.dispose();
  assertClose('shortened', await valuesOf(net, x), [-0.1, 3], { rtol: 1e-6, atol: 0 });
  assert.equal(
    [...net.namedParameters()].map(([name]) => name),
    ['0.weight', '0.bias'],
  );
  assert.equal(await valuesOf([layer, rectifier, layer, rectifier], x), [0, 3]);
  net.dispose();
  x.dispose();
});

gpuTest('fusion stays for layers as they are, also of subclasses that override nothing, and after a listing', (gpu) => {
  const x = tensor(gpu, [[-1, 3]]);
  const pictures = tensor(gpu, new Float32Array(16), [1, 1, 4, 4]);
  const dispatches = (net: Module, input: Tensor) =>
    countCalls(gpu.native, () => {
      tidy(() => void net.forward(input));
      gpu.submit();
    }).dispatches;
  const random = new Random(1);
  for (const [count, input, ...layers] of [
    [1, x, new Named(gpu, options()), new Plain()],
    [2, x, linear(gpu), new BatchNorm1d(gpu, { numFeatures: 2 }).eval(), new ReLU()],
    [
      2,
      pictures,
      new Conv2d(gpu, { inChannels: 1, outChannels: 1, kernelSize: 3, random }),
      new ReLU(),
      new MaxPool2d({ kernelSize: 2 }),
    ],
  ] as [number, Tensor, ...Module[]][]) {
    const net = new Sequential(...layers, new Flatten());
    assert.is(dispatches(net, input), count);
    for (const layer of [...layers, net]) layer.namedModules().next();
    assert.is(dispatches(net, input), count, 'listed');
    net.dispose();
  }
  for (const held of [x, pictures]) held.dispose();
});

gpuTest('a subclass of Sequential that overrides forward is called as it is', async (gpu) => {
  class Residual extends Sequential {
    override forward(x: Tensor): Tensor {
      return sub(x, super.forward(x));
    }
  }
  const x = tensor(gpu, [[-1, 3]]);
  const net = new Sequential(new Residual(linear(gpu), new ReLU()), new ReLU());
  assert.equal(await valuesOf(net, x), [0, 0]);
  assert.equal(await valuesOf(net.layers[0]!, x), [-1, 0]);
  net.dispose();
  x.dispose();
});

gpuTest('only modules make a Sequential; the error says what to do', (gpu) => {
  const layers = [linear(gpu), new ReLU()];
  const refuses = (given: unknown[], message: RegExp) =>
    assert.throws(
      () => new Sequential(...(given as Module[])),
      (error: Error) => error instanceof TypeError && message.test(error.message),
    );
  refuses(
    [layers],
    /^Sequential: layer 0 must be a Module but is an array of 2; pass its modules as arguments: new Sequential\(\.\.\.layers\)$/,
  );
  refuses(
    [layers[0], relu],
    /^Sequential: layer 1 must be a Module but is a function relu; pass modules, such as new ReLU\(\) for relu$/,
  );
  refuses([ReLU], /^Sequential: layer 0 must be a Module but is a function ReLU/);
  refuses([undefined], /^Sequential: layer 0 must be a Module but is undefined/);
  refuses([gpu, layers[0]], /^Sequential: layer 0 must be a Module but is a Gpu/);
  layers[0]!.dispose();
});

run();
