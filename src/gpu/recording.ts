// What `capture` collects while a captured function runs: its dispatches, and everything on the host that the function read or
// changed. A run of the step encodes the dispatches again without calling the function, so it must find the host as the
// function found it, and leave it as the function left it. Whatever a run cannot repeat is refused.
import { GpuError } from './errors.ts';
import type { Pipeline } from './pipeline.ts';
import { Reading, type Scalar } from './scalar.ts';
import type { BoundRange } from './storage.ts';

/** @internal A field of params that a {@link Scalar} sets. */
export interface Patch {
  readonly scalar: Scalar;
  readonly offset: number;
  readonly type: 'u32' | 'i32' | 'f32';
}

/** @internal One recorded dispatch. */
export interface Dispatch {
  readonly pipeline: Pipeline;
  readonly label: string;
  readonly bindings: readonly BoundRange[];
  readonly params: ArrayBuffer;
  readonly patches: readonly Patch[];
  readonly grid: readonly [number, number, number];
  /** Floating-point operations, 0 if they are not counted. */
  readonly flops: number;
  /** Bytes that are read and written. */
  readonly bytes: number;
}

let clock = 0;

/** @internal A number larger than all before it: the order of changes and of the ops that read them. */
export const tick = (): number => ++clock;

/** @internal When a tensor was made and when its content last changed; views share it (PyTorch's version counter). */
export interface Version {
  readonly made: number;
  changed: number;
}

/** @internal */
export function newVersion(): Version {
  const made = tick();
  return { made, changed: made };
}

/** @internal What a run of a captured step does on the host. Every run first checks, then prepares, encodes, and applies. */
export interface HostReplay {
  /** Says how the host differs from the host that the function found; undefined if it does not. */
  check?(): string | undefined;
  /** Does work that must be on the GPU before the step; calls `flush` first if it does any. */
  prepare?(flush: () => void): void;
  /** Leaves the host as the captured function left it. */
  apply?(): void;
  dispose?(): void;
}

/** @internal Something on the host that the captured function read or changed. */
export interface HostNote {
  /** Puts the host back as it was before the capture. */
  finish(): HostReplay;
}

/** @internal A value on the host: every run of a captured step finds it and leaves it as the captured function did. */
export class ValueNote<T> implements HostNote {
  private readonly entry: T;
  isRead = false;
  isSet = false;

  /** @param difference says how the value differs from `entry`, which the function found; undefined if it does not */
  constructor(
    private readonly get: () => T,
    private readonly set: (value: T) => void,
    private readonly difference: (entry: T) => string | undefined,
  ) {
    this.entry = get();
  }

  reads(): void {
    this.isRead ||= !this.isSet;
  }

  sets(): void {
    this.isSet = true;
  }

  finish(): HostReplay {
    const { entry, get, set, difference } = this;
    const exit = get();
    set(entry);
    return {
      check: () => (this.isRead && get() !== entry ? difference(entry) : undefined),
      apply: () => {
        if (this.isSet) set(exit);
      },
    };
  }
}

/** @internal A capture under way. */
export class Recording {
  readonly dispatches: Dispatch[] = [];
  /** Scalars in the order in which the function read them: counters advance in this order. */
  readonly readings: Reading[] = [];
  /** The first thing that cannot be replayed; the capture fails with it even if the function catches it. */
  refused: GpuError | undefined;
  private readonly notes = new Map<object, Map<string, HostNote>>();
  private readonly changed = new Map<Version, number>();

  /** The note of this kind about an object, made at the first call. */
  note<Note extends HostNote>(kind: string, about: object, make: () => Note): Note {
    let notes = this.notes.get(about);
    if (!notes) {
      notes = new Map();
      this.notes.set(about, notes);
    }
    let note = notes.get(kind);
    if (!note) {
      note = make();
      notes.set(kind, note);
    }
    return note as Note;
  }

  /** The note of this kind about an object, if there is one. */
  noted(kind: string, about: object): HostNote | undefined {
    return this.notes.get(about)?.get(kind);
  }

  /** Every run of the step fails with what `check` says, if it says anything. */
  expect(kind: string, about: object, check: () => string | undefined): void {
    this.note(kind, about, () => ({ finish: () => ({ check }) }));
  }

  /** A scalar's value at this place of the function, read at every run. */
  read(scalar: Scalar): Reading {
    if (scalar instanceof Reading) return scalar;
    const reading = new Reading(scalar);
    this.readings.push(reading);
    return reading;
  }

  /** A tensor's content changes at every run. */
  change(version: Version): void {
    if (!this.changed.has(version)) this.changed.set(version, version.changed);
    version.changed = tick();
  }

  refuse(what: string, advice = 'do it before or after the captured function'): never {
    this.refused ??= new GpuError('CAPTURE', `capture: ${what} cannot be replayed; ${advice}`);
    throw this.refused;
  }

  /** Ends the capture. The host is as it was before; the replays say what every run does. */
  finish(): HostReplay[] {
    const { changed } = this;
    for (const [version, before] of changed) version.changed = before;
    const versions = [...changed.keys()];
    const apply = () => {
      for (const version of versions) version.changed = tick();
    };
    const notes = [...this.notes.values()].flatMap((kinds) => [...kinds.values()]);
    return [...notes.reverse().map((note) => note.finish()), { apply }];
  }
}
