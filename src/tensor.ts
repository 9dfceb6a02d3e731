// A tensor is a range of a GPU buffer with a shape, and a node in the graph of gradients. A captured step must know more about it:
// which capture made it, whether its content has changed, and what became of its gradient.
import { numbersOf, type TensorData } from './checks/data.ts';
import { checkValue, oneOf, show, text } from './checks/options.ts';
import type { Device } from './gpu/device.ts';
import { Disposable } from './gpu/dispose.ts';
import { GpuError } from './gpu/errors.ts';
import { checkGpu, type Gpu } from './gpu/gpu.ts';
import type { Binding } from './gpu/kernel.ts';
import { type HostReplay, outsideCapture, type Recording, ValueNote } from './gpu/recording.ts';
import { newVersion, Storage, type Version } from './gpu/storage.ts';
import { checkShape, type Shape, sameShape, showShape, sizeOf } from './shape.ts';
import { keep, track } from './tidy.ts';

/** Element type of a tensor. Labels and indices are `u32`, everything else is `f32`. */
export type Dtype = 'f32' | 'u32';

/** Tells an op's backward which gradients are needed. */
export interface GradientRequest {
  /** Returns whether the gradient of input `i` is needed. */
  needs(i: number): boolean;
  /** Returns an uninitialised tensor of the shape of input `i`: write the gradient there and return it at place `i`. */
  into(i: number): Tensor;
  /** Returns the gradient of input `i` so far if this op may add its own to it in place (return it at place `i`), else null. */
  sum(i: number): Tensor | null;
}

/** Maps the gradient of an op's output to the gradients of its inputs, in order; null for an input that needs none. */
export type Backward = (dy: Tensor, gradient: GradientRequest) => (Tensor | null)[];

/** @internal The op that made a tensor: one node of the graph that `backward` follows. */
export interface Node {
  readonly name: string;
  readonly age: number; // nodes are numbered in the order in which they were made, together with changes in place
  inputs: readonly Tensor[];
  output: Tensor;
  /** Other tensors that backward reads. The graph frees those that only the op knows. */
  saved: readonly Tensor[];
  /** The capture that made the node. */
  readonly madeIn: Recording | undefined;
  /** Null once backward has run. */
  backward: Backward | null;
  /** Why backward cannot go through the node. */
  readonly refused?: string;
}

// Warns of tensors that were garbage-collected before their dispose(), so that their memory leaked. Only with
// createGpu({ validate: true }).
const leaks = new FinalizationRegistry<{ label: string; device: Device }>(({ label, device }) => {
  // A disposed device has freed everything.
  if (!device.isDisposed)
    console.warn(`padagrad: ${label} was garbage-collected before dispose(); use tidy or dispose`);
});

/**
 * An array on the GPU, row-major. Make one with {@link tensor} or {@link empty}; ops are functions (`relu(x)`), not methods. A
 * tensor owns GPU memory: call `dispose()`, make it inside a {@link tidy}, or declare it with `using`.
 */
export class Tensor extends Disposable implements Binding {
  /** @internal {@link Tensor.grad}, read and written without a note for the capture in progress. */
  gradient: Tensor | null = null;
  /** @internal Where backward writes the gradient: a view of the optimiser's flat buffer. Null without an optimiser. */
  gradSlot: Tensor | null = null;
  /** @internal The flat buffers of the optimiser that it moved to. It stays there even if the optimiser is disposed. */
  home: object | null = null;
  /** @internal The op that made it; null for a leaf. */
  node: Node | null = null;
  /** Sizes, outermost first. */
  readonly shape: Shape;
  readonly dtype: Dtype;
  readonly label: string;
  /** @internal When its content last changed. Views share it. */
  version: Version = newVersion();
  /** @internal The capture that made it. */
  readonly madeIn: Recording | undefined;
  /** @internal Called before each use. Throws if a later run has overwritten this result of a captured step. */
  onUse: (() => void) | undefined;
  private wantsGrad = false;
  private released = false;
  private offset: number;

  /** @internal */
  constructor(
    readonly gpu: Gpu,
    private held: Storage,
    form: { shape: Shape; dtype: Dtype; label: string; byteOffset?: number },
  ) {
    super();
    if (!(held instanceof Storage))
      throw new TypeError(
        'Tensor: the constructor is internal; make tensors with tensor(gpu, data) or empty(gpu, shape)',
      );
    const { shape, dtype, label, byteOffset = 0 } = form;
    this.dtype = dtype;
    this.label = label;
    this.offset = byteOffset;
    // A copy: a caller who changes the array later must not change the tensor.
    this.shape = Object.freeze([...shape]);
    track(this);
    const { device, options, queue } = gpu;
    this.madeIn = queue.recording;
    if (options.validate) leaks.register(this, { label: `${label}${showShape(shape)}`, device }, this);
  }

  /**
   * Whether `backward` computes its gradient. Default: false. You can set it on f32 leaves; the result of an op requires a
   * gradient if one of its inputs does.
   */
  get requiresGrad(): boolean {
    return this.wantsGrad;
  }

  set requiresGrad(wanted: boolean) {
    const refuse = (why: string): never => {
      throw new TypeError(`requiresGrad: ${this.name} ${why}`);
    };
    if (typeof wanted !== 'boolean') refuse(`must be given true or false but got ${show(wanted)}`);
    if (wanted && this.dtype !== 'f32') refuse(`is ${this.dtype}, and only f32 tensors have gradients`);
    if (!wanted && this.node) refuse(`was computed by ${this.node.name}; use detach() to leave it out of the graph`);
    this.noteRequiresGrad()?.sets();
    this.wantsGrad = wanted;
  }

  /** @internal In a capture: the note of what the captured function does with `requiresGrad`. */
  noteRequiresGrad(): ValueNote<boolean> | undefined {
    const { recording } = this.gpu.queue;
    if (!recording || this.node || this.madeIn === recording) return undefined;
    const difference = (entry: boolean): string =>
      `requiresGrad of ${this.name} was ${entry} at the capture but is ${!entry}; set it back`;
    const set = (value: boolean): void => {
      this.wantsGrad = value;
    };
    return recording.note('requiresGrad', this, () => new ValueNote(() => this.wantsGrad, set, difference));
  }

  /** @internal PyTorch's name, which would otherwise be set without any effect. */
  set requires_grad(_: unknown) {
    throw new TypeError('requires_grad: the name here is requiresGrad');
  }

  /** Gradient of the loss with respect to this tensor; null before `backward(loss)`. Set on leaf tensors only. */
  get grad(): Tensor | null {
    this.noteGradient()?.reads();
    return this.gradient;
  }

  set grad(gradient: Tensor | null) {
    const fits = gradient instanceof Tensor && gradient.dtype === 'f32' && sameShape(gradient.shape, this.shape);
    if (gradient !== null && !fits)
      throw new TypeError(`grad: ${this.name} takes an f32 tensor of its shape, or null, but got ${String(gradient)}`);
    this.noteGradient()?.sets();
    this.gradient = gradient;
  }

  /** @internal Label and shape, as messages name it: `relu[64,512]`. */
  get name(): string {
    return `${this.label}${showShape(this.shape)}`;
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** @internal */
  get byteLength(): number {
    return 4 * this.size;
  }

  /** @internal */
  get byteOffset(): number {
    return this.offset;
  }

  /** @internal */
  get storage(): Storage {
    this.onUse?.();
    if (this.released) {
      throw new GpuError('DISPOSED', `${this.name} was used after its dispose(); keep() it, or return it from tidy`);
    }
    return this.held;
  }

  get isDisposed(): boolean {
    return this.released;
  }

  /** Reads all elements of an f32 tensor, row-major. Resolves when the GPU has computed them. Throws inside `capture`. */
  read(): Promise<Float32Array<ArrayBuffer>> {
    return this.elements('f32', Float32Array);
  }

  /** Reads all elements of a u32 tensor, as {@link read} does. */
  readU32(): Promise<Uint32Array<ArrayBuffer>> {
    return this.elements('u32', Uint32Array);
  }

  /** Reads the number in a tensor of one element, of either element type. */
  item(): Promise<number> {
    return outsideCapture(`read of ${this.label}`, async () => {
      if (this.size !== 1) throw new TypeError(`item: ${this.name} has ${this.size} elements; use read()`);
      return (this.dtype === 'f32' ? await this.read() : await this.readU32())[0]!;
    });
  }

  /** Frees the GPU memory, and that of its gradient. Safe to call more than once; using the tensor afterwards throws. */
  dispose(): void {
    if (this.released) return;
    this.released = true;
    leaks.unregister(this);
    if (this.gradient !== this.gradSlot) this.gradient?.dispose();
    this.held.release();
  }

  /** @internal Drops the gradient. Frees it unless it lies in an optimiser's buffer. */
  dropGradient(): void {
    const { gradient, gradSlot } = this;
    const note = this.noteGradient();
    // In a capture, every run frees the gradient of a tensor from outside; the capture itself does not.
    if (gradient !== gradSlot && (!note || gradient?.madeIn)) gradient?.dispose();
    note?.sets();
    this.gradient = null;
  }

  /** @internal Gives its gradient to the caller of a `tidy` that frees this tensor but returns the gradient. */
  partWith(returned: ReadonlySet<object>): Tensor | undefined {
    const { gradient } = this;
    if (!gradient || gradient === this.gradSlot || !returned.has(gradient)) return undefined;
    this.gradient = null;
    return gradient;
  }

  /** Returns one line for messages: label, shape, element type and state, such as `Tensor(relu, [64,512], f32)`. */
  override toString(): string {
    const state = `${this.requiresGrad ? ', requiresGrad' : ''}${this.released ? ', disposed' : ''}`;
    return `Tensor(${this.label}, ${showShape(this.shape)}, ${this.dtype}${state})`;
  }

  /** @internal Node's console prints this. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  /** @internal Gives `${tensor}` a text. Throws `TypeError` for arithmetic, which would otherwise give a text or NaN. */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === 'string') return this.toString();
    throw new TypeError(`${this} is not a number; compute with ops such as add(a, b), or await its item() or read()`);
  }

  /** @internal Throws `TypeError`: its content is on the GPU. */
  toJSON(): never {
    throw new TypeError(`JSON.stringify: the content of ${this} is on the GPU; await its read() and store that`);
  }

  /** @internal Returns another tensor on the same memory. */
  view(shape: Shape = this.shape, byteOffset = 0): Tensor {
    const { gpu, dtype, label, offset } = this;
    const view = new Tensor(gpu, this.storage.retain(), { shape, dtype, label, byteOffset: offset + byteOffset });
    view.version = this.version;
    view.onUse = this.onUse;
    return view;
  }

  /** @internal Moves to a range of another storage, which must hold the content, or a recorded copy of it. */
  rebase(storage: Storage, byteOffset: number): void {
    this.held.release();
    this.held = storage.retain();
    this.offset = byteOffset;
  }

  /** @internal Returns whether both start at the same byte of the same buffer. */
  sharesPlace(other: Tensor | null): boolean {
    return other !== null && other.held === this.held && other.offset === this.offset;
  }

  private elements<T>(dtype: Dtype, ArrayOf: new (buffer: ArrayBuffer) => T): Promise<T> {
    return outsideCapture(`read of ${this.label}`, async () => {
      if (this.dtype !== dtype) {
        const [name, other] = dtype === 'f32' ? ['read', 'readU32'] : ['readU32', 'read'];
        throw new TypeError(`${name}: ${this.label} is ${this.dtype}; use ${other}()`);
      }
      return new ArrayOf(await this.gpu.queue.read(this));
    });
  }

  /** @internal Returns whether the captured function itself decides, by zeroGrad or backward, if there is a gradient. */
  decidesGradient(recording: Recording): boolean {
    const note = recording.noted('gradient', this);
    return this.madeIn === recording || (note instanceof GradientNote && note.isSet);
  }

  /** In a capture: the note of what the captured function does with the gradient of a tensor from outside. */
  private noteGradient(): GradientNote | undefined {
    const { recording } = this.gpu.queue;
    return recording && this.madeIn !== recording
      ? recording.note('gradient', this, () => new GradientNote(this))
      : undefined;
  }
}

/** The gradient of a tensor in a capture. Every run finds and leaves it as the captured function did. */
class GradientNote extends ValueNote<Tensor | null> {
  constructor(private readonly x: Tensor) {
    super(
      () => x.gradient,
      (gradient) => {
        x.gradient = gradient;
      },
      (entry) => differenceOf(x, entry),
    );
  }

  override finish(): HostReplay {
    const { x, isSet } = this;
    const exit = x.gradient;
    const slot = x.gradSlot;
    const { check: checkEntry } = super.finish();
    if (!isSet) return { check: checkEntry! };
    const check = () =>
      checkEntry!() ?? (x.gradSlot === slot ? undefined : `${x.name} has another optimiser than at the capture`);
    const own = exit !== slot && exit?.madeIn ? exit : null;
    const apply = (): void => {
      if (x.gradient !== x.gradSlot && x.gradient !== exit) x.gradient?.dispose();
      x.gradient = own ? keep(own.view()) : exit;
    };
    return { check, apply, dispose: () => own?.dispose() };
  }
}

/** Says how the gradient of `x` differs from the one at the capture; undefined if it does not. */
function differenceOf(x: Tensor, entry: Tensor | null): string | undefined {
  const now = x.gradient;
  if (entry ? entry.sharesPlace(now) : !now) return undefined;
  const name = `${x.name}`;
  if (entry && now) return `the gradient of ${name} is another tensor than at the capture`;
  return `${name} had ${entry ? 'a gradient' : 'no gradient'} at the capture but has ${now ? 'a gradient' : 'no gradient'}; call zeroGrad() inside the captured function, or before every run`;
}

/**
 * Makes a tensor with the given content. A `Uint32Array` makes a u32 tensor; everything else makes an f32 tensor, rounded. Without
 * a shape, nested arrays have their own and typed arrays have one dimension. Default label: `tensor`.
 *
 * Throws `TypeError` for anything but numbers, and `RangeError` for numbers that f32 cannot hold: finite ones beyond its range,
 * and elements of an `Int32Array` that it would round.
 */
export function tensor(gpu: Gpu, data: TensorData, shape?: Shape, label = 'tensor'): Tensor {
  checkGpu('tensor', gpu);
  gpu.queue.refuseInCapture('data from the host', 'make the tensor before, and write() to it between runs');
  checkValue('tensor', 'label', label, text);
  const { flat, shape: own } = numbersOf(data);
  const actual = shape ?? own;
  checkShape('tensor', actual);
  if (sizeOf(actual) !== flat.length) {
    throw new TypeError(
      `tensor: shape ${showShape(actual)} needs ${sizeOf(actual)} elements but data has ${flat.length}; pass another shape or other data`,
    );
  }
  return constant(gpu, flat, label, actual);
}

/** @internal Makes a tensor whose content never changes, so a captured function may make it. */
export const constant = (
  gpu: Gpu,
  data: Float32Array | Uint32Array,
  label: string,
  shape: Shape = [data.length],
): Tensor =>
  new Tensor(gpu, gpu.pool.upload(data, label), { shape, dtype: data instanceof Uint32Array ? 'u32' : 'f32', label });

/** @internal An option that is an element type. */
export const dtypes = /* @__PURE__ */ oneOf('f32', 'u32');

/**
 * Makes a tensor of undefined content; something must be written to it before it is read. Default element type: `f32`.
 */
export function empty(gpu: Gpu, shape: Shape, dtype: Dtype = 'f32', label = 'tensor'): Tensor {
  checkValue('empty', 'label', label, text);
  checkShape(label, shape);
  checkValue(label, 'dtype', dtype, dtypes);
  checkGpu(label, gpu);
  const storage = gpu.pool.allocate(4 * sizeOf(shape), `${label}${showShape(shape)}`);
  return new Tensor(gpu, storage, { shape, dtype, label });
}

/**
 * Overwrites the content of `target`, in order with the work recorded before and after. `data` is a `Float32Array` for an f32
 * tensor, a `Uint32Array` for a u32 tensor, and has as many elements.
 */
export function write(target: Tensor, data: Float32Array | Uint32Array): void {
  if (!(target instanceof Tensor))
    throw new TypeError(`write: target must be a tensor but is ${show(target)}; make one with tensor(gpu, data)`);
  const wanted = target.dtype === 'u32' ? Uint32Array : Float32Array;
  if (!(data instanceof wanted) || data.length !== target.size) {
    const came = ArrayBuffer.isView(data) ? `a ${data.constructor.name} of ${data.length}` : show(data);
    throw new TypeError(`write: ${target.name} needs a ${wanted.name} of ${target.size}, but got ${came}`);
  }
  target.gpu.queue.write(target.storage.buffer, target.byteOffset, data);
  target.gpu.queue.change(target.version);
}
