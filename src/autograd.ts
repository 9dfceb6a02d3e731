import source from '../shaders/autograd.wgsl';
import type { Gpu } from './gpu/gpu.ts';
import { defineKernel } from './gpu/kernel.ts';
import { sameShape, showShape } from './shape.ts';
import { empty, type Tensor, tensor } from './tensor.ts';
import { keep, tidy } from './tidy.ts';

const kernel = /* @__PURE__ */ defineKernel('autograd', source, ['accumulate', 'copy']);

/** What an op's backward is told of the gradients wanted. */
export interface GradientRequest {
  /** Whether the gradient of input `i` is wanted at all. */
  needs(i: number): boolean;
  /** Where to write the gradient of input `i`: an uninitialised tensor of its shape, to be returned at place `i`. */
  into(i: number): Tensor;
}

/** From the gradient of an op's output to those of its inputs, in their order; null where none is wanted. */
export type Backward = (dy: Tensor, gradient: GradientRequest) => (Tensor | null)[];

/** @internal One op of the graph that `backward` walks. */
export interface Node {
  readonly name: string;
  /** Counts up, so that a node is younger than all it depends on. */
  readonly age: number;
  inputs: readonly Tensor[];
  output: Tensor;
  /** What backward reads besides the inputs: freed with the graph if only the op knows it. */
  saved: readonly Tensor[];
  backward: Backward | null;
}

/**
 * @internal Is shown what each op computes, as `gpu.watcher`: its output; in backward the gradient that comes for the output,
 * then the gradient of each input.
 */
export type OpWatcher = (node: Node, gradient?: Tensor, input?: number) => void;

let age = 0;
let gradEnabled = true;

/** Runs `fn` without recording a graph. */
export function noGrad<T>(fn: () => T): T {
  const before = gradEnabled;
  gradEnabled = false;
  try {
    return fn();
  } finally {
    gradEnabled = before;
  }
}

/** Whether {@link record} would record now: an op that saves more for backward than its output can ask first. */
export const recording = (...inputs: readonly Tensor[]): boolean => gradEnabled && inputs.some((x) => x.requiresGrad);

/**
 * Enters an op into the graph: `output` was computed from `inputs`, and `backward` gives their gradients, reading the
 * `saved` tensors. Returns `output`. Under `noGrad`, or if no input wants a gradient, what only the op knows is freed.
 */
export function record(
  name: string,
  inputs: readonly Tensor[],
  output: Tensor,
  saved: readonly Tensor[],
  backward: Backward,
): Tensor {
  const node: Node = { name, age: age++, inputs, output, saved, backward };
  output.gpu.watcher?.(node);
  if (!recording(...inputs)) {
    freeSaved(node);
    return output;
  }
  output.requiresGrad = true;
  output.node = node;
  return output;
}

/** The same content without its history: gradients stop here. Shares memory with `x`. */
export const detach = (x: Tensor): Tensor => x.view();

/** Forgets the gradients of `tensors`; the next `backward` writes them anew. */
export function zeroGrad(tensors: Iterable<Tensor>): void {
  for (const x of tensors) {
    if (x.grad !== x.gradSlot) x.grad?.dispose();
    x.grad = null;
  }
}

/**
 * Computes d loss / d x into `x.grad` of every leaf `x` with `requiresGrad` (adding to what is there) and frees the graph.
 * `gradOutput` is the gradient of `loss` itself: needed unless `loss` is a single number. First order only: gradients are
 * not differentiable again.
 */
export function backward(loss: Tensor, gradOutput?: Tensor): void {
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
    const seed = (gradOutput ?? one(loss.gpu)).view(loss.shape);
    if (!loss.node) return giveLeaf(loss, seed);
    pending.set(loss, seed);
    for (const node of graphOf(loss)) step(node, pending);
  });
}

function step(node: Node, pending: Map<Tensor, Tensor>): void {
  const dy = pending.get(node.output)!;
  const { watcher } = dy.gpu;
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
  const gradients = tidy(() => node.backward!(dy, gradient).map((g) => (g === dy ? dy.view() : g)));
  dy.dispose();
  gradients.forEach((g, i) => {
    const input = node.inputs[i]!;
    if (!g) return;
    if (!sameShape(g.shape, input.shape)) {
      throw new Error(
        `${node.name}: its backward gave ${showShape(g.shape)} for input ${i}, which is ${showShape(input.shape)}`,
      );
    }
    watcher?.(node, g, i);
    if (!input.requiresGrad) g.dispose();
    else if (input.node) giveInner(input, g, pending);
    else giveLeaf(input, g);
  });
  freeSaved(node);
  node.backward = null;
  node.inputs = [];
}

function giveInner(x: Tensor, g: Tensor, pending: Map<Tensor, Tensor>): void {
  const before = pending.get(x);
  pending.set(x, before ? sum(before, g) : g);
}

function giveLeaf(x: Tensor, g: Tensor): void {
  if (g === x.gradSlot) {
    x.grad = g;
  } else if (x.grad) {
    add(g, x.grad);
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

const ones = new WeakMap<Gpu, Tensor>();

function one(gpu: Gpu): Tensor {
  let x = ones.get(gpu);
  if (!x) {
    x = keep(tensor(gpu, 1, [], 'one'));
    ones.set(gpu, x);
  }
  return x;
}
