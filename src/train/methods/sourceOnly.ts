import { checkOptions } from '../../checks/options.ts';
import { labelledLoss } from '../../ops/crossEntropy.ts';
import type { Method, Recipe } from './method.ts';

/** Trains on source batches only: the baseline of every adaptation. loss = CE(source) */
export const sourceOnly = (given?: Record<string, never>): Method => {
  checkOptions('sourceOnly', given, {});
  return {
    name: 'source-only',
    options: {},
    usesTarget: false,
    begin({ model }): Recipe {
      return {
        losses({ source: { x, labels } }) {
          const { logits } = model.forward(x); //      [n, numClasses]
          const { classLoss, classAccuracy } = labelledLoss(logits, labels); // [], []
          return { loss: classLoss, classLoss, classAccuracy };
        },
      };
    },
  };
};
