// Checks of a model that a user gives, before training begins.
import { noGrad } from '../autograd.ts';
import { dryRun } from '../capture.ts';
import { show } from '../checks/options.ts';
import type { Model } from '../models/model.ts';
import { Module } from '../nn/module.ts';
import { showShape } from '../shape.ts';
import { empty, Tensor } from '../tensor.ts';
import type { CheckedSettings } from './options.ts';

/** @internal Throws unless a factory returned a Module, for example if it returned a promise of one. */
export function checkModel<M extends Model>(model: M): M {
  if (model instanceof Module) return model;
  throw new TypeError(
    `train: the model's factory returned ${show(model)}; return a Module whose forward returns { logits, features }`,
  );
}

/** @internal Runs a model on nothing, to see that it returns what it should, and how many features. */
export function featuresDimOf(model: Model, { gpu, shape, numClasses }: CheckedSettings): number {
  let output: unknown;
  const rows = 2;
  dryRun(gpu, () => {
    output = noGrad(() => model.forward(empty(gpu, [rows, ...shape])));
  });
  const { logits, features } = (output ?? {}) as Record<string, unknown>;
  if (!(logits instanceof Tensor && features instanceof Tensor))
    throw new TypeError(
      `train: the model's forward returned ${show(output)}; return { logits, features }, with features the input of the last layer`,
    );
  const [n, F, ...rest] = features.shape;
  if (n !== rows || F === undefined || rest.length > 0)
    throw new TypeError(
      `train: features must be [n, F] but are ${showShape(features.shape)} for ${rows} examples; flatten them`,
    );
  if (showShape(logits.shape) !== showShape([rows, numClasses]))
    throw new TypeError(
      `train: logits must be [n, numClasses], ${showShape([rows, numClasses])} for ${rows} examples, but are ${showShape(logits.shape)}`,
    );
  return F;
}
