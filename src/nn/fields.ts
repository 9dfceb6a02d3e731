// A captured step does not call forward again. So it would miss that a field which forward reads has changed: `dropout.p`, a
// factor of the user's own module, a layer that was replaced. While a captured function runs, the fields of the modules whose
// forward runs note that they are read, and every run of the step throws unless they still have the same values.
import { recordingUnderWay } from '../gpu/recording.ts';

/** Calls `forward` in a capture and notes which fields of the modules it reads: public ones and TypeScript's private ones. */
export function notingFields<T>(modules: readonly object[], forward: () => T): T {
  const restores = modules.map(noteReads);
  try {
    return forward();
  } finally {
    for (const restore of restores) restore();
  }
}

/** Makes the fields of a module note that they are read. Returns a function that undoes it. */
function noteReads(module: object): () => void {
  const recording = recordingUnderWay()!;
  const fields = Object.entries(Object.getOwnPropertyDescriptors(module)).filter(
    ([, { enumerable, writable, configurable }]) => enumerable && writable && configurable,
  );
  const values = new Map(fields.map(([name, { value }]) => [name, value as unknown]));
  for (const [name, { value }] of fields) {
    let written = false;
    const check = () =>
      Object.is(Reflect.get(module, name), value)
        ? undefined
        : `${name} of ${module.constructor.name} is another one than at the capture; set it back`;
    Object.defineProperty(module, name, {
      configurable: true,
      enumerable: true,
      get: () => {
        if (!written) recording.expect(`field ${name}`, module, check);
        return values.get(name);
      },
      set: (changed: unknown) => {
        written = true;
        values.set(name, changed);
      },
    });
  }
  return () => {
    for (const [name, descriptor] of fields)
      Object.defineProperty(module, name, { ...descriptor, value: values.get(name) });
  };
}
