// PADA, DANN and other methods differ in the losses of one iteration. A method is a value, such as
// `pada({ temperature: 0.1 })`. It knows nothing of captured steps, checkpoints, devices or files: the Trainer runs its
// `losses`, and trains and saves the networks and class weights that it declares.
import type { Batch, Dataset } from '../../data/dataset.ts';
import type { Compile } from '../../gpu/compilation.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import type { Model } from '../../models/model.ts';
import type { Module } from '../../nn/module.ts';
import type { Stateful } from '../../nn/stateDict.ts';
import type { Random } from '../../random.ts';
import type { Tensor } from '../../tensor.ts';

/** How to adapt: the losses of one iteration, and what else than the model they need. */
export interface Method {
  /** Such as `pada`. */
  readonly name: string;
  /** Its own options, defaults included. A checkpoint keeps them. */
  readonly options: Readonly<Record<string, number | string>>;
  /** Whether its losses use target batches. */
  readonly usesTarget: boolean;
  /** Makes the method's own networks and class weights for one training run. Called once, before the first iteration. */
  begin(setup: MethodSetup): Recipe;
}

/** Everything that a method may use to begin. */
export interface MethodSetup {
  gpu: Gpu;
  model: Model;
  /** Length of the model's features. */
  featuresDim: number;
  numClasses: number;
  /** All source examples with labels, for methods that draw more of them than `losses` gets; they change at random if there is a jitter. */
  source: Dataset;
  /** All target examples, in order, without labels. */
  target: Dataset;
  /** Examples per batch and domain. */
  batchSize: number;
  /** Iterations of the whole run. */
  iterations: number;
  /** Generates initial weights. */
  random: Random;
  /** Whether ops run eagerly instead of as captured steps. */
  eager: boolean;
}

/** A method at work in one training run. */
export interface Recipe {
  /** Networks that are trained with the model, by their names in checkpoints. */
  readonly networks?: Readonly<Record<string, Module>>;
  /** Weights of the classes, refreshed between backward and the update. */
  readonly classWeights?: ClassWeights;
  /** Other parts with a state that a resumed run needs, by their names in checkpoints. Disposed with the run. */
  readonly state?: Readonly<Record<string, Stateful & { dispose(): void }>>;
  /** Called before iteration `iteration`, counted from 0: sets what changes from one iteration to the next. */
  advance?(iteration: number): void;
  /** Computes the losses of one iteration. Called once if captured, else in each iteration. */
  losses(batches: Batches): Losses;
  /** The first iterations, if they train only on source batches: their number and their losses. */
  readonly warmUp?: { readonly iterations: number; losses(batches: Pick<Batches, 'source'>): Losses };
  /** Frees what `networks` and `classWeights` do not name. */
  dispose?(): void;
}

/** One batch per domain. `concat([source.x, target.x])` copies nothing if the rows begin at a multiple of 256 bytes. */
export interface Batches {
  /** x: f32 [n, ...shape of an example]; labels: u32 [n] */
  source: Batch & { labels: Tensor };
  /** x: f32 [n, ...shape of an example], without labels; not given to methods that do not use the target. */
  target: Batch;
  /** x of the same target batch without jitter. It is gathered when it is asked for. */
  readonly plainTarget: Tensor;
}

/** The results of one iteration; all are f32 []. */
export interface Losses {
  /** Minimised by the update; of several the sum. */
  loss: Tensor | readonly Tensor[];
  classLoss: Tensor;
  /** Loss of the adaptation. Default: 0. */
  transferLoss?: Tensor;
  /** Percent of the source batch that is classified correctly. */
  classAccuracy: Tensor;
  /** Percent of both batches whose domain is predicted correctly. Default: NaN. */
  domainAccuracy?: Tensor;
  /** Returns the target batch's logits, f32 [n, numClasses], for losses that are added. Default: another pass computes them. */
  targetLogits?(): Tensor;
}

/** Class weights that follow the model, such as {@link AutomaticUpdateClassWeightModule}. */
export interface ClassWeights extends Stateful {
  /** f32 [numClasses] */
  readonly classWeight: Tensor;
  /** Whether the next `step()` refreshes the weights. */
  readonly isDue: boolean;
  /** Counts an iteration, and refreshes the weights if they are due. Resolves once the work is recorded. */
  step(): Promise<unknown>;
  /** @internal */
  prepareBy(compile?: Compile): Promise<void>;
  dispose(): void;
}
