// For programs that choose a model by its name while they run, such as the command line and the page. A program that knows its
// model imports it instead, and bundles only that one.
import type { Classifier } from './classifier.ts';
import { mlp } from './mlp.ts';
import type { ModelFactory } from './model.ts';
import type { ModelName } from './names.ts';
import { resnet18, resnet34, resnet50 } from './resnet.ts';
import { smallCnn } from './smallCnn.ts';

/** The models by name. */
export const MODELS: Readonly<Record<ModelName, ModelFactory<Classifier>>> = {
  smallCnn,
  mlp,
  resnet18,
  resnet34,
  resnet50,
};

/** Returns the name of the default model for examples of this shape: `mlp` for vectors, else `smallCnn`. */
export const defaultModelName = (shape: readonly number[]): ModelName => (shape.length === 1 ? 'mlp' : 'smallCnn');
