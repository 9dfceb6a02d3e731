// Weights that were trained elsewhere, under another head: those of torchvision's ResNets (`conv1.weight`, ..., `fc.bias`), or
// those of a classifier of this library (`backbone.*`, `bottleneck.*`, `head.*`).
import { show } from '../checks/options.ts';
import type { HostTensor } from '../nn/stateDict.ts';
import { sameShape, showShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { Classifier } from './classifier.ts';
import type { ModelFactory } from './model.ts';

/** What {@link loadWeights} did: names of tensors. */
export interface LoadedWeights {
  /** Loaded into the model. */
  loaded: string[];
  /** In the state, but not loaded: a last layer of another size. */
  leftOut: string[];
  /** Parameters of the model that keep their initial values. */
  initial: string[];
}

/**
 * Loads the weights of a backbone into a {@link Classifier}, which then trains its backbone at a tenth of the learning rate. A last
 * layer of another size is left out, and a missing bottleneck or head keeps its initial values.
 *
 * ```ts
 * const { tensors } = decodeSafetensors(await readFile('resnet18.safetensors'));
 * const { leftOut } = loadWeights(model, tensors); // ['fc.weight', 'fc.bias']
 * ```
 *
 * @param state by torchvision's names, or by those of a classifier of this library
 * @throws TypeError if the backbone lacks a tensor of the state, or the state one of the backbone, or a shape differs; nothing changes then
 */
export function loadWeights(model: Classifier, state: ReadonlyMap<string, HostTensor>): LoadedWeights {
  if (!(model instanceof Classifier))
    throw new TypeError(
      `loadWeights: the model is ${show(model)}, not a Classifier such as resnet18; call its loadStateDict(state, { strict: false })`,
    );
  if (!(state instanceof Map))
    throw new TypeError('loadWeights: the state must be a Map, as `decodeSafetensors(bytes).tensors` is');
  const own = new Map<string, Tensor>([...model.namedParameters(), ...model.namedBuffers()]);
  const prefix = [...state.keys()].some((name) => name.startsWith('backbone.')) ? '' : 'backbone.';
  const loaded = new Map<string, HostTensor>();
  const leftOut: string[] = [];
  const faults: string[] = [];
  for (const [name, given] of state) {
    const place = own.get(prefix + name);
    // The last layer: `fc` in torchvision, `head` here.
    const isLast = /^(fc|head|backbone\.fc)\./.test(name);
    if (isLast && !(place && sameShape(place.shape, given.shape))) leftOut.push(name);
    else if (!place && !name.endsWith('num_batches_tracked')) faults.push(`${name} is not in the model`);
    else if (place && !sameShape(place.shape, given.shape))
      faults.push(`${name} is ${showShape(given.shape)}, but ${showShape(place.shape)} in the model`);
    else loaded.set(prefix + name, given);
  }
  const missing = [...own.keys()].filter((name) => !loaded.has(name));
  for (const name of missing) if (name.startsWith('backbone.')) faults.push(`${name.slice(prefix.length)} is missing`);
  if (faults.length > 0) {
    const more = faults.length > SHOWN ? `, and ${faults.length - SHOWN} more` : '';
    throw new TypeError(
      `loadWeights: the weights are of another network: ${faults.slice(0, SHOWN).join('; ')}${more}; choose the model that they are of`,
    );
  }
  model.loadStateDict(loaded, { strict: false });
  model.pretrained = true;
  const parameters = new Set(Array.from(model.namedParameters(), ([name]) => name));
  return { loaded: [...loaded.keys()], leftOut, initial: missing.filter((name) => parameters.has(name)) };
}

// Enough to see what differs.
const SHOWN = 3;

/**
 * Returns a factory whose models begin with these weights: `train({ model: withWeights(resnet18, tensors), ... })`.
 *
 * @param report called with what was loaded, for each model that is made
 */
export function withWeights<M extends Classifier>(
  factory: ModelFactory<M>,
  state: ReadonlyMap<string, HostTensor>,
  report?: (loaded: LoadedWeights) => void,
): ModelFactory<M> {
  const make: ModelFactory<M> = (gpu, spec) => {
    const model = factory(gpu, spec);
    try {
      const loaded = loadWeights(model, state);
      report?.(loaded);
      return model;
    } catch (error) {
      model.dispose();
      throw error;
    }
  };
  return Object.assign(make, { geometry: factory.geometry });
}
