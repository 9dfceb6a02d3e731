import * as assert from 'uvu/assert';
import { backward } from '../../src/autograd.ts';
import { Counter } from '../../src/gpu/scalar.ts';
import { Dropout, Module, ModuleList, type Parameter, ReLU, Sequential } from '../../src/nn/index.ts';
import { mul, sum } from '../../src/ops/index.ts';
import { Sgd } from '../../src/optim/index.ts';
import { type Tensor, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { disposeAll } from '../captured.ts';
import { gpuTest, run } from '../harness.ts';
import { linear, names, parameter, refuses } from './shared.ts';

gpuTest(
  'modules and parameters are found in arrays, Maps, Sets and plain objects, named as in a ModuleList',
  async (gpu) => {
    class Net extends Module {
      blocks = [linear(gpu), [linear(gpu)]];
      heads = new Map<string | number, Module>([
        ['digits', linear(gpu)],
        [7, new Sequential(linear(gpu))],
      ]);
      extra = new Set([linear(gpu)]);
      options = { depth: 2, gate: { open: parameter(gpu) }, none: null };
      scales = [parameter(gpu), parameter(gpu)];
      sizes = [1, 2, 3];
      forward(x: Tensor): Tensor {
        return x;
      }
    }
    const net = new Net();
    const both = (name: string) => [`${name}.weight`, `${name}.bias`];
    // Parameters of the module itself come first, as in PyTorch.
    const expected = [
      ...['options.gate.open', 'scales.0', 'scales.1'],
      ...['blocks.0', 'blocks.1.0', 'heads.digits', 'heads.7.0', 'extra.0'].flatMap(both),
    ];
    assert.equal(names(net), expected);
    assert.equal([...(await net.stateDict()).keys()], expected);
    net.eval();
    assert.equal(
      [...net.namedModules()].map(([, { training }]) => training),
      new Array(7).fill(false),
    );
    const parts = [...net.parameters()];
    net.dispose();
    assert.ok(parts.every((part) => part.isDisposed));
  },
);

gpuTest('layers of an array train as layers in fields do', async (gpu) => {
  class Listed extends Module {
    blocks = [linear(gpu), linear(gpu)];
    forward(x: Tensor): Tensor {
      return this.blocks.reduce((y, block) => block.forward(y), x);
    }
  }
  class Fields extends Module {
    a = linear(gpu);
    b = linear(gpu);
    forward(x: Tensor): Tensor {
      return this.b.forward(this.a.forward(x));
    }
  }
  const x = tensor(gpu, [[1, 2]]);
  const trained: Float32Array[][] = [];
  for (const net of [new Listed(), new Fields()]) {
    const sgd = new Sgd(net.parameters(), { lr: 0.1 });
    tidy(() => {
      backward(sum(net.forward(x)));
      sgd.step();
    });
    trained.push(await Promise.all([...net.parameters()].map((p) => p.read())));
    disposeAll(sgd, net);
  }
  assert.is(trained[0]!.length, 4);
  assert.equal(trained[0], trained[1]);
  x.dispose();
});

gpuTest('a ModuleList names its modules as PyTorch does, and is no layer itself', (gpu) => {
  class Net extends Module {
    blocks = new ModuleList([linear(gpu), new Sequential(linear(gpu))]);
    forward(x: Tensor): Tensor {
      let y = x;
      for (const block of this.blocks) y = block.forward(y);
      return y;
    }
  }
  const net = new Net();
  assert.equal(names(net), ['blocks.0.weight', 'blocks.0.bias', 'blocks.1.0.weight', 'blocks.1.0.bias']);
  assert.equal(
    [...net.namedModules()].map(([name]) => name),
    ['', 'blocks', 'blocks.0', 'blocks.1', 'blocks.1.0'],
  );
  assert.is(net.blocks.length, 2);
  const x = tensor(gpu, [[1, 2]]);
  const y = tidy(() => net.forward(x));
  assert.equal(y.shape, [1, 2]);
  refuses(() => net.blocks.forward(), /^ModuleList: it has no forward; call its modules, or use a Sequential$/);
  disposeAll(y, x, net);
});

gpuTest('fields of a subclass of Sequential are found, and forward may use them', (gpu) => {
  class Net extends Sequential {
    head = linear(gpu);
    override forward(x: Tensor): Tensor {
      return this.head.forward(super.forward(x));
    }
  }
  const net = new Net(linear(gpu), new ReLU());
  assert.equal(names(net), ['0.weight', '0.bias', 'head.weight', 'head.bias']);
  assert.equal(
    [...net.namedChildren()].map(([name]) => name),
    ['0', '1', 'head'],
  );
  const x = tensor(gpu, [[1, 2]]);
  disposeAll(
    tidy(() => net.forward(x)),
    net,
    x,
  );
});

gpuTest('parts that are added after the first listing are listed with it', (gpu) => {
  class Lazy extends Module {
    blocks: Module[] = [];
    forward(x: Tensor): Tensor {
      if (this.blocks.length === 0) this.blocks.push(linear(gpu), new Dropout());
      return this.blocks.reduce((y, block) => block.forward(y), x);
    }
  }
  const net = new Lazy();
  net.train();
  const x = tensor(gpu, [[1, 2]]);
  for (let i = 0; i < 2; i++) disposeAll(tidy(() => net.forward(x)));
  assert.equal(names(net), ['blocks.0.weight', 'blocks.0.bias']);
  disposeAll(net, x);
});

gpuTest('a tensor with requiresGrad in a field must be a Parameter; results and constants need not', (gpu) => {
  class Net extends Module {
    w: Tensor | Tensor[] = tensor(gpu, [[1, 2]]);
    kept: Tensor | null = null;
    forward(x: Tensor): Tensor {
      this.kept = mul(x, this.w as Tensor);
      return this.kept;
    }
  }
  const net = new Net();
  const w = net.w as Tensor;
  assert.equal(names(net), []);
  w.requiresGrad = true;
  refuses(
    () => names(net),
    /^Net: w is a tensor with requiresGrad but no Parameter/,
    /new Parameter\(gpu, data, shape\)/,
  );
  net.w = [w];
  refuses(() => net.train(), /^Net: w\.0 is a tensor with requiresGrad/);
  w.requiresGrad = false;
  net.w = w;
  const x = tensor(gpu, [[1, 1]]);
  x.requiresGrad = true;
  const y = net.forward(x);
  assert.ok(y.requiresGrad);
  assert.equal(names(net), [], 'the result of an op is no parameter');
  disposeAll(y, x, w);
});

gpuTest('a public reference to a module that contains this one is refused; a #private one is not', (gpu) => {
  class Child extends Module {
    parent: Module | null = null;
    #root: Module | null = null;
    fc = linear(gpu);
    adopt(root: Module): void {
      this.#root = root;
    }
    get root(): Module | null {
      return this.#root;
    }
    forward(x: Tensor): Tensor {
      return this.fc.forward(x);
    }
  }
  class Parent extends Module {
    child = new Child();
    forward(x: Tensor): Tensor {
      return this.child.forward(x);
    }
  }
  const net = new Parent();
  net.child.adopt(net);
  assert.equal(names(net), ['child.fc.weight', 'child.fc.bias']);
  net.child.parent = net;
  refuses(
    () => names(net),
    /^Parent: child\.parent is a module that contains it; keep a reference to it in a #private field/,
  );
  assert.is(net.child.root, net);
  net.dispose();
});

gpuTest('what is registered must be a part, with a name of its own', (gpu) => {
  class Net extends Module {
    weight: Parameter | undefined;
    register(kind: 'Buffer' | 'Module' | 'Parameter', ...args: unknown[]): void {
      (this[`register${kind}` as 'registerBuffer'] as (...args: unknown[]) => unknown)(...args);
    }
    forward(x: Tensor): Tensor {
      return x;
    }
  }
  const net = new Net();
  const w = parameter(gpu);
  refuses(() => net.register('Module', 'a', w), /^registerModule: a must be a Module but is a Parameter/);
  refuses(() => net.register('Parameter', 'a', [1]), /^registerParameter: a must be a Parameter but is \[1\]/);
  refuses(
    () => net.register('Buffer', 'a', new Float32Array(1)),
    /^registerBuffer: a must be a Tensor or Counter but is a Float32Array/,
  );
  refuses(() => net.register('Buffer', w), /^registerBuffer: the name must be a string but is an? Parameter/);
  refuses(
    () => net.register('Buffer', 'a', new Counter(0), false),
    /^registerBuffer: expected an options object but got false/,
  );
  net.register('Parameter', 'weight', w);
  refuses(() => net.register('Module', 'weight', net), /^registerModule: Net has registered weight already/);
  net.weight = parameter(gpu);
  refuses(() => net.loadStateDict(new Map()), /two parts of Net are named weight; rename one/);
  net.dispose();
});

gpuTest('forward may be replaced on an instance, before and after the first listing', async (gpu) => {
  const x = tensor(gpu, [[-1, 2]]);
  const layer = linear(gpu);
  const read = async () => {
    const y = tidy(() => layer.forward(x));
    const values = [...(await y.read())];
    y.dispose();
    return values;
  };
  const plain = await read();
  layer.train();
  assert.equal(await read(), plain);
  assert.not(Object.keys(layer).includes('forward'), 'fields look as before');
  const original = layer.forward;
  layer.forward = (y) => mul(original.call(layer, y), y);
  const expected = plain.map((v, i) => Math.fround(v * [-1, 2][i]!));
  assert.equal(await read(), expected);
  layer.eval();
  assert.equal(await read(), expected);
  disposeAll(layer, x);
});

run();
