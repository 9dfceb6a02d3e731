import { Module } from '../nn/index.ts';
import type { Classifier } from './classify.ts';

/** Puts the classifier into eval mode, if it has modes; what is returned puts each of its modules back into its own. */
export const evaluating = (classifier: Classifier): (() => void) =>
  classifier instanceof Module ? classifier.evalMode() : () => {};
