// Most training steps begin backward with a loss over a small batch. One workgroup computes such a loss, and can compute its
// gradient too, as the gradient of the loss itself is 1 then. So backward needs no dispatch for it, and a step is shorter.
import { autogradState, wantsGraph } from '../../autograd.ts';
import type { Tensor } from '../../tensor.ts';

// More elements are faster in a dispatch of many workgroups.
const MOST = 4096;

/** @internal Whether forward should compute the gradient of x too. */
export const suitsEarlyGradient = (x: Tensor): boolean => x.size <= MOST && wantsGraph([x]);

/** @internal Whether the gradient of a loss is the 1 with which backward began. */
export const isOne = (dloss: Tensor): boolean => dloss.storage === autogradState.of(dloss.gpu).one?.storage;
