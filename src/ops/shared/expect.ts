import { type Check, show } from '../../checks/options.ts';
import { Counter } from '../../gpu/scalar.ts';
import { type Shape, sameShape, showShape } from '../../shape.ts';
import { type Dtype, Tensor } from '../../tensor.ts';

/** @internal An option that is a tensor. */
export const aTensor: Check = { wanted: 'a tensor', holds: (value) => value instanceof Tensor };

/** @internal An option that is a counter. */
export const aCounter: Check = { wanted: 'a Counter', holds: (value) => value instanceof Counter };

/** @internal Throws `TypeError` unless `x` is a tensor. `who: name` opens the message. */
export function expectTensor(who: string, name: string, x: Tensor): void {
  if (x instanceof Tensor) return;
  throw new TypeError(`${who}: ${name} must be a tensor but is ${show(x)}; make one with tensor(gpu, data)`);
}

/** @internal Throws `TypeError` unless `x` is a tensor of the element type. */
export function expectDtype(who: string, name: string, x: Tensor, dtype: Dtype): void {
  expectTensor(who, name, x);
  if (x.dtype !== dtype) throw new TypeError(`${who}: ${name} must be ${dtype} but is ${x.dtype}`);
}

/** @internal Throws `TypeError` unless `x` is a tensor of the shape and element type. Default element type: `f32`. */
export function expectShape(who: string, name: string, x: Tensor, shape: Shape, dtype: Dtype = 'f32'): void {
  expectDtype(who, name, x, dtype);
  if (!sameShape(x.shape, shape))
    throw new TypeError(`${who}: ${name} must be ${showShape(shape)} but is ${showShape(x.shape)}`);
}

/** @internal Returns the rows and columns of a matrix. Throws `TypeError` unless `x` is f32 [n, C] with C > 0. */
export function expectMatrix(who: string, name: string, x: Tensor): [rows: number, cols: number] {
  expectDtype(who, name, x, 'f32');
  const [rows, cols] = x.shape;
  if (x.shape.length === 2 && cols! > 0) return [rows!, cols!];
  throw new TypeError(`${who}: ${name} must be [n, C] with C > 0 but is ${showShape(x.shape)}`);
}
