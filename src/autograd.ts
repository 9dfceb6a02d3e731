// Reverse-mode differentiation. Every op calls `record`, which links its output to its inputs. `backward` follows these links
// from the loss: it visits the ops from the last to the first, hands each the gradient of its output, and adds up the gradients
// that it returns for its inputs. Most of this file manages memory: who frees a gradient, and where a parameter's is written.
import source from '../shaders/autograd.wgsl';
import { show } from './checks/options.ts';
import { type Gpu, GpuState } from './gpu/gpu.ts';
import { defineKernel } from './gpu/kernel.ts';
import { tick } from './gpu/storage.ts';
import { sameShape, showShape } from './shape.ts';
import { type Backward, constant, empty, type GradientRequest, type Node, Tensor } from './tensor.ts';
import { isTracked, keep, refusePromise, refuseUncallable, type Sync, tidy } from './tidy.ts';

const kernel = /* @__PURE__ */ defineKernel('autograd', source, ['accumulate', 'copy']);

/**
 * @internal
 * Sees what each op of a Gpu computes: its output; in backward the gradient of the output, then the gradient of each input.
 */
export type OpWatcher = (node: Node, gradient?: Tensor, input?: number) => void;

/** @internal What autograd keeps for each Gpu. */
export const autogradState = /* @__PURE__ */ new GpuState<{
  watcher?: OpWatcher | undefined;
  /** The gradient of a loss with respect to itself: a tensor that holds 1. */
  one?: Tensor;
}>(() => ({}));

/** @internal Sees every leaf with `requiresGrad` that an op reads while a graph is recorded. */
export type LeafWatcher = (op: string, leaf: Tensor) => void;

let leafWatcher: LeafWatcher | undefined;

/** @internal Sets the watcher and returns the previous one. */
export function watchLeaves(watcher: LeafWatcher | undefined): LeafWatcher | undefined {
  const before = leafWatcher;
  leafWatcher = watcher;
  return before;
}

let gradEnabled = true;

/** Runs `fn` without recording a graph (`torch.no_grad`). Returns its result. `fn` must be synchronous. */
export function noGrad<T>(fn: () => Sync<T>): T {
  refuseUncallable('noGrad', fn);
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

/** @internal Returns whether {@link record} would record an op with these inputs. */
export function wantsGraph(inputs: readonly Tensor[]): boolean {
  if (!gradEnabled) return false;
  for (const x of inputs) x.noteRequiresGrad()?.reads();
  return inputs.some((x) => x.requiresGrad);
}

/**
 * Adds an op to the graph and returns `output`, which the op has computed from `inputs`. `backward` maps the gradient of the
 * output to the gradients of the inputs; `saved` lists the tensors that it reads, inputs and output included.
 *
 * Under `noGrad`, or if no input requires a gradient, nothing is recorded: saved tensors that are neither input nor output are
 * freed at once.
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
  const node: Node = { name, age: tick(), inputs, output, saved, madeIn: queue.recording, backward };
  autogradState.of(output.gpu).watcher?.(node);
  if (!wantsGraph(inputs)) {
    freeSaved(node);
    return output;
  }
  if (leafWatcher) for (const x of inputs) if (x.requiresGrad && !x.node) leafWatcher(name, x);
  output.requiresGrad = true;
  output.node = node;
  return output;
}

/** @internal Makes the node of a tensor that has no graph. Backward through it throws, with the reason `refused`. */
export const refusedNode = (output: Tensor, refused: string): Node => ({
  ...{ name: output.label, age: tick(), inputs: [], output, saved: [], madeIn: undefined },
  backward: () => [],
  refused,
});

/** Returns the same content without its history, so gradients stop here (`torch.Tensor.detach`). Shares memory with `x`. */
export const detach = (x: Tensor): Tensor => x.view();

/** Drops the gradients of `tensors`. The next `backward` overwrites them. */
export function zeroGrad(tensors: Iterable<Tensor>): void {
  for (const x of tensors) x.dropGradient();
}

/**
 * Computes the gradient of `loss` with respect to every leaf that requires one, adds it to the leaf's `grad`, and frees the
 * graph (`torch.Tensor.backward`). Gradients cannot be differentiated again: first order only.
 *
 * For several losses it computes the gradient of their sum (`torch.autograd.backward`), without a dispatch that adds them.
 *
 * @param gradOutput the gradient of `loss` itself, of its shape. Default: 1, which only a loss of one number allows.
 * @throws Error if `loss` does not depend on a tensor with `requiresGrad`, or if its graph is freed already
 */
export function backward(loss: Tensor | readonly Tensor[], gradOutput?: Tensor): void {
  const losses = Array.isArray(loss) ? (loss as readonly Tensor[]) : [loss as Tensor];
  if (losses.length === 0) throw new TypeError('backward: there are no losses; pass at least one');
  if (losses.length > 1 && gradOutput)
    throw new TypeError(`backward: gradOutput is of one loss, but there are ${losses.length}; call backward for each`);
  for (const one of losses) checkLoss(one, gradOutput);
  noGrad(() => {
    const nodes = graphOf(losses.flatMap(({ node }) => node ?? []));
    // The gradients of outputs whose op is still to be visited.
    const gradients = new Map<Tensor, Tensor>();
    try {
      for (const one of losses) {
        const seed = seedOf(one, gradOutput);
        if (one.node) addTo(gradients, one, seed);
        else addToLeaf(one, seed);
      }
      for (const node of nodes) visit(node, gradients);
    } finally {
      for (const gradient of gradients.values()) gradient.dispose();
    }
  });
}

function checkLoss(loss: Tensor, gradOutput: Tensor | undefined): void {
  if (!(loss instanceof Tensor)) throw new TypeError(`backward: the loss must be a Tensor but is ${show(loss)}`);
  if (!loss.requiresGrad) {
    throw new Error(
      `backward: ${loss.label} does not depend on a tensor with requiresGrad (gradients themselves never do: first order only)`,
    );
  }
  if (!gradOutput && loss.size !== 1) {
    throw new Error(`backward: ${loss.name} is not a single number; reduce it, or pass gradOutput`);
  }
  if (gradOutput && !sameShape(gradOutput.shape, loss.shape)) {
    throw new TypeError(`backward: gradOutput must be ${showShape(loss.shape)} but is ${showShape(gradOutput.shape)}`);
  }
}

/** Returns `last` and the nodes that they depend on, the latest first, so every node comes after all that use its output. */
function graphOf(last: readonly Node[]): Node[] {
  const seen = new Set<Node>();
  const open = [...last];
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

/** Returns the gradient of the loss itself: 1, or a view of `gradOutput`. */
function seedOf(loss: Tensor, gradOutput: Tensor | undefined): Tensor {
  const seed = (gradOutput ?? one(loss.gpu)).view(loss.shape);
  // A dispatch cannot read one gradient of a flat buffer and write another, so a gradient from there is copied.
  return gradOutput && seed.storage.refs > 2 ? copyOf(seed) : seed;
}

function one(gpu: Gpu): Tensor {
  const state = autogradState.of(gpu);
  state.one ??= keep(constant(gpu, Float32Array.of(1), 'one', []));
  return state.one;
}

/** Calls an op's backward, adds what it returns to the gradients of its inputs, and frees the node. */
function visit(node: Node, gradients: Map<Tensor, Tensor>): void {
  const dy = gradients.get(node.output)!;
  gradients.delete(node.output);
  const { watcher } = autogradState.of(dy.gpu);
  watcher?.(node, dy);
  // Tensors that exist already and that this call of backward writes to: slots of leaves, and gradients that it adds to.
  const existing = new Set<Tensor>();
  const request: GradientRequest = {
    needs: (i) => node.inputs[i]!.requiresGrad,
    into: (i) => {
      const { gpu, shape, label, grad, gradSlot } = node.inputs[i]!;
      if (!gradSlot || grad || existing.has(gradSlot)) return empty(gpu, shape, 'f32', `d${label}`);
      existing.add(gradSlot);
      return gradSlot;
    },
    sum: (i) => {
      const input = node.inputs[i]!;
      const before = gradients.get(input);
      // A watcher wants each op's own gradient.
      if (!before || watcher || before.storage.refs > 1 || existing.has(before)) return null;
      existing.add(before);
      return before;
    },
  };
  let returned: (Tensor | null)[];
  try {
    returned = refusingChanges(node, dy, () =>
      tidy(() => ownGradients(node, node.backward!(dy, request), dy, existing)),
    );
  } finally {
    dy.dispose();
  }
  returned.forEach((g, i) => {
    const input = node.inputs[i]!;
    if (!g) return;
    watcher?.(node, g, i);
    if (!input.requiresGrad) g.dispose();
    else if (input.node) addTo(gradients, input, g);
    else addToLeaf(input, g);
  });
  freeSaved(node);
  node.backward = null;
  node.inputs = [];
}

/**
 * Throws unless an op's backward returned one gradient or null per input, of the right shape. Returns the gradients; those
 * that the call did not make itself become views, because the caller disposes every gradient once.
 */
function ownGradients(node: Node, returned: unknown, dy: Tensor, existing: ReadonlySet<Tensor>): (Tensor | null)[] {
  const { name, inputs } = node;
  const wrong = (what: string): never => {
    throw new TypeError(`${name}: its backward ${what}`);
  };
  if (!Array.isArray(returned) || returned.length !== inputs.length) {
    const came = Array.isArray(returned) ? `${returned.length}` : show(returned);
    wrong(`must return an array of ${inputs.length} gradients, one per input (null for none), but returned ${came}`);
  }
  const seen = new Set<Tensor>();
  return (returned as unknown[]).map((g, i) => {
    const input = inputs[i]!;
    if (g === null) return null;
    const which = `input ${i}, which is ${showShape(input.shape)}`;
    if (!(g instanceof Tensor)) return wrong(`returned ${show(g)} for ${which}; return a Tensor, or null for none`);
    if (!sameShape(g.shape, input.shape) || g.dtype !== 'f32')
      wrong(`gave ${g.dtype === 'f32' ? '' : `${g.dtype} `}${showShape(g.shape)} for ${which}`);
    const own = (existing.has(g) || isTracked(g)) && g !== dy && !seen.has(g);
    seen.add(g);
    return own ? g : g.view();
  });
}

/** Calls an op's backward. Throws if it reads a tensor that was changed in place after the op's forward. */
function refusingChanges<T>({ name, age, madeIn }: Node, { gpu: { queue } }: Tensor, call: () => T): T {
  queue.onRead = ({ version, label }) => {
    if (!version || version.made > age) return;
    const check = () =>
      version.changed < age
        ? undefined
        : `${name}: its backward reads ${label}, which was changed in place after the forward pass; run the forward pass again, or change it after backward`;
    const fault = check();
    if (fault) throw new Error(fault);
    // If only backward is captured, every run reads the tensors of the eager forward again.
    if (queue.recording !== madeIn) queue.recording?.expect(name, version, check);
  };
  try {
    return call();
  } finally {
    queue.onRead = undefined;
  }
}

/** Adds to the gradient of an op's output. */
function addTo(gradients: Map<Tensor, Tensor>, x: Tensor, g: Tensor): void {
  const before = gradients.get(x);
  if (before !== g) gradients.set(x, before ? sumOf(before, g) : g);
}

/** Adds to the `grad` of a leaf. */
function addToLeaf(x: Tensor, g: Tensor): void {
  const { grad } = x;
  if (g === x.gradSlot) {
    x.grad = g;
  } else if (grad) {
    accumulate(g, grad);
    g.dispose();
  } else {
    // Several gradients may share memory (add passes on dy itself), but later gradients are added into a leaf's.
    const own = x.gradSlot ?? (g.storage.refs === 1 ? g : empty(x.gpu, x.shape, 'f32', `d${x.label}`));
    if (own !== g) {
      copyInto(g, own);
      g.dispose();
    }
    x.grad = keep(own);
  }
}

/** Returns a + b, in the memory of one of them if nothing else shares it. Disposes the other. */
function sumOf(a: Tensor, b: Tensor): Tensor {
  if (a.storage.refs > 1) return b.storage.refs > 1 ? sumOf(copyOf(a), b) : sumOf(b, a);
  accumulate(b, a);
  b.dispose();
  return a;
}

/** Returns a copy of `a`, which it disposes. */
function copyOf(a: Tensor): Tensor {
  const copy = empty(a.gpu, a.shape, 'f32', a.label);
  copyInto(a, copy);
  a.dispose();
  return copy;
}

/** @internal Overwrites `into` with the elements of `source`. */
export function copyInto(source: Tensor, into: Tensor): void {
  kernel.copy({ source, into }, { size: source.size }, Math.ceil(source.size / 64));
}

function accumulate(source: Tensor, into: Tensor): void {
  kernel.accumulate({ source, into }, { size: source.size }, Math.ceil(source.size / 64));
}

/** Frees the tensors that only the node holds. */
function freeSaved(node: Node): void {
  for (const x of node.saved) if (x !== node.output && !node.inputs.includes(x)) x.dispose();
  node.saved = [];
}
