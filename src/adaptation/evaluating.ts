import { Module } from '../nn/index.ts';
import type { Classifier } from './classify.ts';

/** Awaits `fn` with the classifier in eval mode, if it has modes, and puts each of its modules back in its own. */
export async function evaluating<T>(classifier: Classifier, fn: () => Promise<T>): Promise<T> {
  if (!(classifier instanceof Module)) return fn();
  const restore = classifier.evalMode();
  try {
    return await fn();
  } finally {
    restore();
  }
}
