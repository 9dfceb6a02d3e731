import * as assert from 'uvu/assert';
import { backward, detach, noGrad } from '../../src/autograd.ts';
import { BatchNorm1d, Dropout, Module, type Parameter, ReLU, Sequential } from '../../src/nn/index.ts';
import { add, matmul, mul, scale, sum } from '../../src/ops/index.ts';
import { Sgd } from '../../src/optim/index.ts';
import { type Tensor, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { disposeAll } from '../captured.ts';
import { gpuTest, run } from '../harness.ts';
import { linear, names, parameter, refuses } from './shared.ts';

const ADVICE = [/public fields, also in arrays, Maps/, /registerModule\(name, module\)/];

gpuTest('the first listing names what #private fields hide', (gpu) => {
  const hidden: Module[] = [];
  const hide = <T extends Module>(module: T): T => {
    hidden.push(module);
    return module;
  };
  class First extends Module {
    #a = hide(linear(gpu));
    head = linear(gpu);
    forward(x: Tensor): Tensor {
      return this.head.forward(this.#a.forward(x));
    }
  }
  class Last extends Module {
    head = linear(gpu);
    #norm: BatchNorm1d;
    constructor() {
      super();
      this.#norm = hide(new BatchNorm1d(gpu, { numFeatures: 2 }));
    }
    forward(x: Tensor): Tensor {
      return this.#norm.forward(this.head.forward(x));
    }
  }
  class Drops extends Module {
    #drop = [new Dropout()];
    forward(x: Tensor): Tensor {
      return this.#drop[0]!.forward(x);
    }
  }
  class Raw extends Module {
    #w = parameter(gpu, 'hidden');
    forward(x: Tensor): Tensor {
      return matmul(x, this.#w);
    }
    get w(): Parameter {
      return this.#w;
    }
  }
  class Outer extends Module {
    readonly inner = new Raw();
    forward(x: Tensor): Tensor {
      return this.inner.forward(x);
    }
  }
  const [first, last, raw, outer] = [new First(), new Last(), new Raw(), new Outer()];
  const lists: ((net: Module) => unknown)[] = [
    (net) => [...net.parameters()],
    (net) => net.train(),
    (net) => net.eval(),
    (net) => net.evalMode(),
    (net) => net.loadStateDict(new Map()),
  ];
  for (const list of lists) {
    refuses(
      () => list(first),
      /^First: its constructor makes weight\[2,2\], bias\[2\], but no public field/,
      ...ADVICE,
    );
    refuses(() => list(last), /^Last: its constructor makes BatchNorm1d, weight\[2\], bias\[2\]/, ...ADVICE);
    refuses(() => list(new Drops()), /^Drops: its constructor makes Dropout/, ...ADVICE);
    refuses(() => list(raw), /^Raw: its constructor makes hidden\[2,2\]/, ...ADVICE);
    refuses(() => list(outer), /^Raw: its constructor makes hidden\[2,2\]/);
  }
  disposeAll(first, last, raw.w, outer.inner.w, ...hidden);
});

gpuTest('hidden parts that are registered, replaced, without state or not trained are no fault', async (gpu) => {
  class Registered extends Module {
    #a = this.registerModule('a', linear(gpu));
    #w = this.registerParameter('w', parameter(gpu));
    #relu = new ReLU();
    forward(x: Tensor): Tensor {
      return this.#relu.forward(this.#a.forward(matmul(x, this.#w)));
    }
  }
  class Base extends Module {
    head: Module = linear(gpu);
    first = this.head;
    #times = 2;
    forward(x: Tensor): Tensor {
      return scale(this.head.forward(x), this.#times);
    }
  }
  class Tuned extends Base {
    #old: Module;
    constructor() {
      super();
      this.#old = this.head;
      this.head = new Sequential(linear(gpu));
      this.first = this.head;
    }
    get old(): Module {
      return this.#old;
    }
  }
  class Student extends Module {
    head = linear(gpu);
    #teacher = new Sequential(linear(gpu), new Dropout());
    constructor() {
      super();
      this.#teacher.eval();
      for (const p of this.#teacher.parameters()) p.requiresGrad = false;
    }
    forward(x: Tensor): Tensor {
      return add(
        this.head.forward(x),
        noGrad(() => this.#teacher.forward(x)),
      );
    }
    get teacher(): Module {
      return this.#teacher;
    }
  }
  const x = tensor(gpu, [[1, 2]]);
  const nets = [new Registered(), new Tuned(), new Student()];
  const [registered, tuned, student] = nets as [Registered, Tuned, Student];
  assert.equal(names(registered), ['w', 'a.weight', 'a.bias']);
  assert.equal([...(await registered.stateDict()).keys()], ['w', 'a.weight', 'a.bias']);
  assert.equal(names(tuned), ['head.0.weight', 'head.0.bias']);
  assert.equal(names(student), ['head.weight', 'head.bias']);
  for (const net of nets) disposeAll(tidy(() => net.forward(x)));
  disposeAll(tuned.old, student.teacher, ...nets, x);
});

gpuTest('a plain tensor in the place of a Parameter is refused', (gpu) => {
  const layer = linear(gpu);
  const own = layer.weight;
  const plain = tensor(gpu, new Float32Array(own.size), own.shape);
  Object.assign(layer, { weight: plain });
  assert.throws(() => [...layer.parameters()], /Linear: weight was a Parameter but is a plain tensor now.*by write/);
  Object.assign(layer, { weight: own });
  assert.is([...layer.parameters()].length, 2);
  disposeAll(layer, plain);
});

gpuTest('a child that is replaced after the constructor is none of its hidden parts', (gpu) => {
  class Net extends Module {
    #times = 2;
    head = linear(gpu);
    forward(x: Tensor): Tensor {
      return scale(this.head.forward(x), this.#times);
    }
  }
  const net = new Net();
  const before = net.head;
  net.head = linear(gpu);
  const other = linear(gpu);
  assert.equal(names(net), ['head.weight', 'head.bias']);
  disposeAll(net, before, other);
});

gpuTest('the first forward names a hidden part that no constructor shows', (gpu) => {
  const outside = linear(gpu);
  const drop = new Dropout();
  const leaf = tensor(gpu, [1, 1]);
  leaf.requiresGrad = true;
  class Closure extends Module {
    head = linear(gpu);
    forward(x: Tensor): Tensor {
      return this.head.forward(outside.forward(x));
    }
  }
  class Passed extends Module {
    head = linear(gpu);
    #w: Tensor;
    constructor(w: Tensor) {
      super();
      this.#w = w;
    }
    forward(x: Tensor): Tensor {
      return mul(this.head.forward(x), this.#w);
    }
  }
  class Drops extends Module {
    head = linear(gpu);
    forward(x: Tensor): Tensor {
      return drop.forward(this.head.forward(x));
    }
  }
  const x = tensor(gpu, [[1, 2]]);
  const wide = tensor(gpu, [[1, 1]]);
  wide.requiresGrad = true;
  const nets = [new Closure(), new Passed(wide), new Drops()] as const;
  // Nothing is missed before something is listed.
  for (const net of nets) disposeAll(tidy(() => net.forward(x)));
  for (const net of nets) net.train();
  refuses(
    () => nets[0].forward(x),
    /^Closure\.forward uses weight\[2,2\] \(linear\) that Closure does not list/,
    ...ADVICE,
  );
  refuses(() => nets[1].forward(x), /^Passed\.forward uses tensor\[1,2\] \(mul\) that Passed does not list/, ...ADVICE);
  refuses(
    () => nets[2].forward(x),
    /^Drops\.forward runs a Dropout that Drops does not list/,
    /train\(\) and eval\(\)/,
  );
  // Under noGrad nothing is trained, but dropout would still drop after eval().
  nets[2].eval();
  disposeAll(tidy(() => noGrad(() => nets[0].forward(x))));
  refuses(() => noGrad(() => nets[2].forward(x)), /runs a Dropout/);
  disposeAll(...nets, outside, leaf, wide, x);
});

gpuTest('the caller may train what forward uses: arguments, parameters of an optimiser or of another module', (gpu) => {
  const discriminator = linear(gpu);
  const memory = parameter(gpu, 'memory');
  class Net extends Module {
    head = linear(gpu);
    forward(x: Tensor): Tensor {
      const h = detach(x);
      const squares = noGrad(() => mul(x, x));
      for (const leaf of [h, squares]) leaf.requiresGrad = true;
      return add(discriminator.forward(this.head.forward(x)), matmul(add(h, squares), memory));
    }
  }
  const net = new Net();
  const owners = [new Sgd(net.parameters(), { lr: 1 }), new Sgd(discriminator.parameters(), { lr: 1 })];
  const memories = new Sgd([memory], { lr: 1 });
  // The image itself is optimised, as for style transfer.
  const image = parameter(gpu, 'image');
  tidy(() => backward(sum(net.forward(image))));
  assert.ok(image.grad && discriminator.weight.grad && memory.grad);
  disposeAll(...owners, memories, net, discriminator, memory, image);
});

run();
