// Checks the forwards of modules whose parts were listed, by parameters(), train(), stateDict() and the like. A part that was
// not listed is unknown to the optimiser, to the state and to eval(), so a forward that uses it throws. Before the first listing
// nothing is checked, because nothing can be missing yet.
import { type LeafWatcher, watchLeaves } from '../autograd.ts';
import { show } from '../checks/options.ts';
import { recordingUnderWay } from '../gpu/recording.ts';
import { tick } from '../gpu/storage.ts';
import { Tensor } from '../tensor.ts';
import { notingFields } from './fields.ts';
import { Parameter } from './parameter.ts';
import { partsIn } from './parts.ts';

export const ADVICE =
  'Keep modules and Parameters in public fields, also in arrays, Maps and plain objects, or call this.registerModule(name, module) or this.registerParameter(name, parameter)';

interface Listing {
  namedModules(): Iterable<[name: string, module: object]>;
}

const running: { module: Listing; args: readonly unknown[]; since: number }[] = [];

/** Calls the forward of a module whose parts were listed. */
export function run<T>(module: Listing, args: readonly unknown[], forward: () => T): T {
  running.push({ module, args, since: tick() });
  const before = watchLeaves(checkLeaf);
  try {
    return recordingUnderWay() ? notingFields(modulesOf(module), forward) : forward();
  } finally {
    watchLeaves(before);
    running.pop();
  }
}

/** Throws `TypeError` if a running forward uses a module that was not listed. */
export function checkListed(module: object, isListed: () => boolean): void {
  if (running.length === 0 || isListedAtLast(isListed)) return;
  throw notListed(`runs ${show(module)}`, 'train() and eval() do not reach it');
}

/** Throws `TypeError` if an op of a running forward reads a leaf that would not be trained. */
const checkLeaf: LeafWatcher = (op, x) => {
  // Allowed: a leaf that an optimiser updates, that forward itself made, or that the caller passed.
  if (x.gradSlot || x.version.made > running[0]!.since) return;
  if (isListedAtLast(() => x instanceof Parameter && x.listed)) return;
  for (const { args } of running)
    for (const [, given] of partsIn(args, '', isTensor)) if (given.version === x.version) return;
  throw notListed(`uses ${x.name} (${op})`, 'it would be neither trained nor saved');
};

/** Lists the modules again before it gives up, because parts may have been added since. */
function isListedAtLast(isListed: () => boolean): boolean {
  if (isListed()) return true;
  for (const { module } of running) modulesOf(module);
  return isListed();
}

function notListed(uses: string, so: string): TypeError {
  const name = running.at(-1)!.module.constructor.name || 'Module';
  return new TypeError(`${name}.forward ${uses} that ${name} does not list, so ${so}. ${ADVICE}`);
}

const modulesOf = (module: Listing): object[] => Array.from(module.namedModules(), ([, each]) => each);

const isTensor = (value: unknown): value is Tensor => value instanceof Tensor;
