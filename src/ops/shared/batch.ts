// Shared by the ops that make batches: the request for a batch, and the tensors that it is written to.
import { anything, checkOptions, type OptionChecks, wholeFrom } from '../../checks/options.ts';
import { orScalar, type Scalar, scalarValue } from '../../gpu/scalar.ts';
import { sameShape, showShape } from '../../shape.ts';
import { empty, type Tensor } from '../../tensor.ts';
import { aTensor, expectDtype, expectShape } from './expect.ts';

/** The examples of a batch, and where to write them. */
export interface BatchRequest {
  /** u32 [n]: which example is at each place. An index >= count gives an example of NaN with the label 2^32 - 1. */
  order: Tensor;
  /** Place of the batch's first example in `order`. */
  offset: number | Scalar;
  /** Number of examples in the batch. */
  size: number;
  /** Where to write them: f32 [row + size or more, ...shape of an example]. Default: a new tensor. */
  into?: Tensor;
  /** First row of `into` to write. Default: 0. */
  row?: number;
  /**
   * @internal
   * A batch of another data set of the same kind, shape, mean and deviation: the same dispatch writes its examples, without labels, to
   * the rows after these.
   */
  next?: { data: object; order: Tensor; offset: number | Scalar; size: number };
}

/** Examples on the GPU, with optional labels. */
export interface Examples {
  count: number;
  /** The shape of one example. */
  shape: readonly number[];
  /** u32 [count] */
  labels: Tensor | null;
}

const checks: OptionChecks<BatchRequest> = {
  order: aTensor,
  offset: /* @__PURE__ */ orScalar(/* @__PURE__ */ wholeFrom(0)),
  size: /* @__PURE__ */ wholeFrom(0),
  into: aTensor,
  row: /* @__PURE__ */ wholeFrom(0),
  next: anything,
};

/**
 * Checks a request, and returns the tensors that the batch is written to.
 *
 * @throws TypeError if the examples do not fit in `into`
 * @throws RangeError if `order` has fewer than `size` places from `offset` on
 */
export function beginBatch(who: string, data: Examples, request: BatchRequest): { x: Tensor; labels: Tensor | null } {
  checkOptions(who, request, checks, ['order', 'offset', 'size']);
  const { order, offset, size, into, row = 0, next } = request;
  const { count, shape, labels } = data;
  expectDtype(who, 'order', order, 'u32');
  if (into) expectDtype(who, 'into', into, 'f32');
  if (labels) expectShape(who, 'labels', labels, [count], 'u32');
  if (!(scalarValue(offset) + size <= order.size)) {
    throw new RangeError(
      `${who}: order has ${order.size} places, but ${size} from offset ${scalarValue(offset)} on are needed`,
    );
  }
  const all = size + (next?.size ?? 0);
  const x = into ?? empty(order.gpu, [all, ...shape], 'f32', 'batch');
  if (!sameShape(x.shape.slice(1), shape) || row + all > x.shape[0]!) {
    throw new TypeError(
      `${who}: ${all} examples ${showShape(shape)} from row ${row} on do not fit in into, which is ${showShape(x.shape)}`,
    );
  }
  return { x, labels: labels && empty(order.gpu, [size], 'u32', 'labels') };
}
