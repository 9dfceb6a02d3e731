import source from '../shaders/autograd.wgsl';
import { show } from './checks/options.ts';
import { type Gpu, GpuState } from './gpu/gpu.ts';
import { defineKernel } from './gpu/kernel.ts';
import { tick } from './gpu/storage.ts';
import { sameShape, showShape } from './shape.ts';
import { type Backward, constant, empty, type GradientRequest, type Node, Tensor } from './tensor.ts';
import { isTracked, keep, refusePromise, type Sync, tidy } from './tidy.ts';

const kernel = /* @__PURE__ */ defineKernel('autograd', source, ['accumulate', 'copy']);

/**
 * @internal Sees what each op of a Gpu computes: its output, and in backward the gradient of the output, then the
 * gradient of each input.
 */
export type OpWatcher = (node: Node, gradient?: Tensor, input?: number) => void;

/** @internal What autograd keeps for each Gpu. */
export const autogradState = /* @__PURE__ */ new GpuState<{
  watcher?: OpWatcher | undefined;
  /** The gradient of a loss with respect to itself: a tensor that holds 1. */
  one?: Tensor;
}>(() => ({}));

let gradEnabled = true;

/** Runs `fn` without recording a graph. `fn` must be synchronous. */
export function noGrad<T>(fn: () => Sync<T>): T {
  const before = gradEnabled;
  gradEnabled = false;
  try {
    const result = fn();
    refusePromise('noGrad', result);
    return result;
  } finally {
    gradEnabled = before;
  }
}

let evaluating = false;

/** @internal Runs `fn` with every module in eval mode, whatever its own mode is. */
export function evaluate<T>(fn: () => T): T {
  const before = evaluating;
  evaluating = true;
  try {
    return fn();
  } finally {
    evaluating = before;
  }
}

/** @internal Whether {@link evaluate} runs. */
export const evaluatesOnly = (): boolean => evaluating;

/** @internal Throws if {@link evaluate} runs: for ops whose options say `training: true`. */
export function refuseTraining(who: string): void {
  if (evaluating)
    throw new TypeError(
      `${who}: training is true while a classifier is evaluated; pass false, or use a module's \`training\`, which is false then`,
    );
}

/** @internal Sees every leaf with `requiresGrad` that an op reads while a graph is recorded. */
export type LeafWatcher = (op: string, leaf: Tensor) => void;

let leafWatcher: LeafWatcher | undefined;

/** @internal Sets the watcher, and returns the one before. */
export function watchLeaves(watcher: LeafWatcher | undefined): LeafWatcher | undefined {
  const before = leafWatcher;
  leafWatcher = watcher;
  return before;
}

/** Whether {@link record} would record now: an op that saves more for backward than its output can ask first. */
export function recording(...inputs: readonly Tensor[]): boolean {
  if (!gradEnabled) return false;
  for (const x of inputs) x.noteRequiresGrad()?.reads();
  return inputs.some((x) => x.requiresGrad);
}

/**
 * Enters an op into the graph: `output` was computed from `inputs`, and `backward` gives their gradients, reading the
 * `saved` tensors. Returns `output`. Under `noGrad`, or if no input wants a gradient, saved tensors of the op's own are freed.
 */
export function record(
  name: string,
  inputs: readonly Tensor[],
  output: Tensor,
  saved: readonly Tensor[],
  backward: Backward,
): Tensor {
  if (!Array.isArray(saved) || typeof backward !== 'function')
    throw new TypeError(
      `record: ${name} needs the tensors that it saves and its backward: record(name, inputs, output, saved, backward)`,
    );
  const { queue } = output.gpu;
  const { watcher } = autogradState.of(output.gpu);
  const node: Node = { name, age: tick(), inputs, output, saved, madeIn: queue.recording, backward };
  watcher?.(node);
  if (!recording(...inputs)) {
    freeSaved(node);
    return output;
  }
  if (leafWatcher) for (const x of inputs) if (x.requiresGrad && !x.node) leafWatcher(name, x);
  output.requiresGrad = true;
  output.node = node;
  return output;
}

/** @internal The node of a tensor that keeps no graph: backward through it throws. */
export const refusedNode = (output: Tensor, refused: string): Node => ({
  ...{ name: output.label, age: tick(), inputs: [], output, saved: [], madeIn: undefined },
  backward: () => [],
  refused,
});

/** The same content without its history: gradients stop here. Shares memory with `x`. */
export const detach = (x: Tensor): Tensor => x.view();

/** Drops the gradients of `tensors`; the next `backward` overwrites them. */
export function zeroGrad(tensors: Iterable<Tensor>): void {
  for (const x of tensors) x.dropGradient();
}

/**
 * Computes d loss / d x into `x.grad` of every leaf `x` with `requiresGrad` (adding to what is there) and frees the graph.
 * `gradOutput` is the gradient of `loss` itself: needed unless `loss` is a single number. First order only: gradients are
 * not differentiable again.
 */
export function backward(loss: Tensor, gradOutput?: Tensor): void {
  if (!(loss instanceof Tensor)) throw new TypeError(`backward: the loss must be a Tensor but is ${show(loss)}`);
  if (!loss.requiresGrad) {
    throw new Error(
      `backward: ${loss.label} does not depend on a tensor with requiresGrad (gradients themselves never do: first order only)`,
    );
  }
  if (!gradOutput && loss.size !== 1) {
    throw new Error(
      `backward: ${loss.label}${showShape(loss.shape)} is not a single number; reduce it, or pass gradOutput`,
    );
  }
  if (gradOutput && !sameShape(gradOutput.shape, loss.shape)) {
    throw new TypeError(`backward: gradOutput must be ${showShape(loss.shape)} but is ${showShape(gradOutput.shape)}`);
  }
  noGrad(() => {
    const pending = new Map<Tensor, Tensor>();
    const nodes = loss.node ? graphOf(loss) : [];
    const seed = seedOf(loss, gradOutput);
    if (!loss.node) return giveLeaf(loss, seed);
    pending.set(loss, seed);
    try {
      for (const node of nodes) step(node, pending);
    } finally {
      for (const gradient of pending.values()) gradient.dispose();
    }
  });
}

/** The gradient of the loss itself. A kernel cannot read one gradient of a flat buffer and write another: those are copied. */
function seedOf(loss: Tensor, gradOutput: Tensor | undefined): Tensor {
  const seed = (gradOutput ?? one(loss.gpu)).view(loss.shape);
  return gradOutput && seed.storage.refs > 2 ? copy(seed) : seed;
}

function step(node: Node, pending: Map<Tensor, Tensor>): void {
  const dy = pending.get(node.output)!;
  const { watcher } = autogradState.of(dy.gpu);
  watcher?.(node, dy);
  pending.delete(node.output);
  const handedOut = new Set<Tensor>();
  const gradient: GradientRequest = {
    needs: (i) => node.inputs[i]!.requiresGrad,
    into: (i) => {
      const { gpu, shape, label, grad, gradSlot } = node.inputs[i]!;
      if (gradSlot && !grad && !handedOut.has(gradSlot)) {
        handedOut.add(gradSlot);
        return gradSlot;
      }
      return empty(gpu, shape, 'f32', `d${label}`);
    },
  };
  let gradients: (Tensor | null)[];
  try {
    gradients = readingUnchanged(node, dy, () =>
      tidy(() => checked(node, node.backward!(dy, gradient), dy, handedOut)),
    );
  } finally {
    dy.dispose();
  }
  gradients.forEach((g, i) => {
    const input = node.inputs[i]!;
    if (!g) return;
    watcher?.(node, g, i);
    if (!input.requiresGrad) g.dispose();
    else if (input.node) giveInner(input, g, pending);
    else giveLeaf(input, g);
  });
  freeSaved(node);
  node.backward = null;
  node.inputs = [];
}

/** Checks that an op's backward returned a gradient or null for every input. Tensors that it did not make become views. */
function checked(node: Node, given: unknown, dy: Tensor, handedOut: ReadonlySet<Tensor>): (Tensor | null)[] {
  const { name, inputs } = node;
  const wrong = (what: string): never => {
    throw new TypeError(`${name}: its backward ${what}`);
  };
  if (!Array.isArray(given) || given.length !== inputs.length) {
    const came = Array.isArray(given) ? `${given.length}` : show(given);
    wrong(`must return an array of ${inputs.length} gradients, one per input (null for none), but returned ${came}`);
  }
  const seen = new Set<Tensor>();
  return (given as unknown[]).map((g, i) => {
    const input = inputs[i]!;
    if (g === null) return null;
    const which = `input ${i}, which is ${showShape(input.shape)}`;
    if (!(g instanceof Tensor)) return wrong(`returned ${show(g)} for ${which}; return a Tensor, or null for none`);
    if (!sameShape(g.shape, input.shape) || g.dtype !== 'f32')
      wrong(`gave ${g.dtype === 'f32' ? '' : `${g.dtype} `}${showShape(g.shape)} for ${which}`);
    const own = (handedOut.has(g) || isTracked(g)) && g !== dy && !seen.has(g);
    seen.add(g);
    return own ? g : g.view();
  });
}

/** Calls an op's backward. Throws if it reads a tensor that was changed in place after the op's forward. */
function readingUnchanged<T>({ name, age, madeIn }: Node, { gpu: { queue } }: Tensor, call: () => T): T {
  queue.onRead = ({ version, label }) => {
    if (!version || version.made > age) return;
    const check = () =>
      version.changed < age
        ? undefined
        : `${name}: its backward reads ${label}, which was changed in place after the forward pass; run the forward pass again, or change it after backward`;
    const fault = check();
    if (fault) throw new Error(fault);
    // A captured backward of an eager forward reads again at every run.
    if (queue.recording !== madeIn) queue.recording?.expect(name, version, check);
  };
  try {
    return call();
  } finally {
    queue.onRead = undefined;
  }
}

function giveInner(x: Tensor, g: Tensor, pending: Map<Tensor, Tensor>): void {
  const before = pending.get(x);
  pending.set(x, before ? sum(before, g) : g);
}

function giveLeaf(x: Tensor, g: Tensor): void {
  const { grad } = x;
  if (g === x.gradSlot) {
    x.grad = g;
  } else if (grad) {
    add(g, grad);
    g.dispose();
  } else {
    // Gradients may share memory with others (add passes on dy as it is); a leaf's must be its own to add to.
    const own = x.gradSlot ?? (g.storage.refs === 1 ? g : empty(x.gpu, x.shape, 'f32', `d${x.label}`));
    if (own !== g) {
      copyInto(g, own);
      g.dispose();
    }
    x.grad = keep(own);
  }
}

function sum(a: Tensor, b: Tensor): Tensor {
  if (a.storage.refs > 1) return b.storage.refs > 1 ? sum(copy(a), b) : sum(b, a);
  add(b, a);
  b.dispose();
  return a;
}

function copy(a: Tensor): Tensor {
  const own = empty(a.gpu, a.shape, 'f32', a.label);
  copyInto(a, own);
  a.dispose();
  return own;
}

/** @internal Overwrites `into` with the elements of `source`. */
export function copyInto(source: Tensor, into: Tensor): void {
  kernel.copy({ source, into }, { size: source.size }, Math.ceil(source.size / 64));
}

function add(g: Tensor, into: Tensor): void {
  kernel.accumulate({ source: g, into }, { size: g.size }, Math.ceil(g.size / 64));
}

/** The nodes that `loss` depends on, youngest first: every node after all that use its output. */
function graphOf(loss: Tensor): Node[] {
  const seen = new Set<Node>();
  const open = [loss.node!];
  for (let node = open.pop(); node; node = open.pop()) {
    if (seen.has(node)) continue;
    if (node.refused) throw new Error(`backward: there is no way through ${node.name}: ${node.refused}`);
    if (!node.backward) {
      throw new Error(
        `backward: the graph through ${node.name} was freed by an earlier backward; run the forward pass again`,
      );
    }
    seen.add(node);
    for (const input of node.inputs) if (input.node) open.push(input.node);
  }
  return [...seen].sort((a, b) => b.age - a.age);
}

function freeSaved(node: Node): void {
  for (const x of node.saved) if (x !== node.output && !node.inputs.includes(x)) x.dispose();
  node.saved = [];
}

function one(gpu: Gpu): Tensor {
  const state = autogradState.of(gpu);
  state.one ??= keep(constant(gpu, Float32Array.of(1), 'one', []));
  return state.one;
}
