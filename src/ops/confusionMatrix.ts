import source from '../../shaders/confusionMatrix.wgsl';
import rowsSource from '../../shaders/rows.wgsl';
import { defineKernel } from '../gpu/kernel.ts';
import { expectDtype, expectShape, type Tensor } from '../tensor.ts';

const kernel = /* @__PURE__ */ defineKernel('confusionMatrix', [rowsSource, source], ['count']);

/**
 * Adds a batch to a confusion matrix: `into[truth][prediction]` counts rows, the prediction being the largest logit.
 * logits: f32 [n, C]; labels: u32 [n]; into: u32 [C, C]. Without gradient.
 */
export function confusionMatrix(logits: Tensor, labels: Tensor, into: Tensor): void {
  const [rows, classes] = logits.shape;
  if (logits.shape.length !== 2)
    throw new TypeError(`confusionMatrix: logits must be [n, C] but have ${logits.shape.length} dimensions`);
  expectShape('confusionMatrix', 'labels', labels, [rows!]);
  expectDtype('confusionMatrix', 'into', into, 'u32');
  expectShape('confusionMatrix', 'into', into, [classes!, classes!]);
  kernel.count({ logits, labels, counts: into }, { rows: rows!, classes: classes! }, Math.ceil(rows! / 64));
}
