// `capture` calls a function once and collects its dispatches here, with everything on the host that the function read or
// changed. A run of the step encodes the dispatches again without calling the function. So the run must find the host as the
// function found it, and leave it as the function left it. Anything that a run cannot repeat is refused.
import { GpuError } from './errors.ts';
import type { Pipeline } from './pipeline.ts';
import { type BoundRange, tick, type Version } from './storage.ts';

/** @internal A number that may change between uses: a `Scalar`. */
export interface LiveNumber {
  readonly value: number;
  /** Counts a use. */
  advance?(): void;
}

/** @internal A field of params whose value may change from run to run. */
export interface Patch {
  readonly scalar: LiveNumber;
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
  /** Floating-point operations; 0 if they are not counted. */
  readonly flops: number;
  /** Bytes that are read and written. */
  readonly bytes: number;
}

/** @internal The work of every run of a captured step on the host. A run checks, prepares, encodes, then applies. */
export interface HostReplay {
  /** Says how the host differs from the host that the function found; undefined if it does not. */
  check?(): string | undefined;
  /** Does work that must be on the GPU before the step. Calls `flush` first if it does any. */
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

/** @internal A value on the host. Every run of a captured step finds and leaves it as the captured function did. */
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

/** @internal A number that every run reads again: `Reading` in scalar.ts. */
export interface Refreshable {
  /** Reads the number for the next run. */
  refresh(): void;
}

/** @internal A capture in progress. */
export class Recording {
  readonly dispatches: Dispatch[] = [];
  /** Scalars in the order in which the function read them. Counters advance in this order. */
  readonly readings: Refreshable[] = [];
  /** The first thing that a run cannot repeat. The capture fails with it even if the function catches it. */
  refused: GpuError | undefined;
  private readonly notes = new Map<object, Map<string, HostNote>>();
  private readonly changed = new Map<Version, number>();

  /** Returns the note of one kind about an object. The first call makes it. */
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

  /** Returns the note of one kind about an object, if there is one. */
  noted(kind: string, about: object): HostNote | undefined {
    return this.notes.get(about)?.get(kind);
  }

  /** Makes every run of the step fail with the message of `check`, if it returns one. */
  expect(kind: string, about: object, check: () => string | undefined): void {
    this.note(kind, about, () => ({ finish: () => ({ check }) }));
  }

  /** Notes that a tensor's content changes at every run. */
  change(version: Version): void {
    if (!this.changed.has(version)) this.changed.set(version, version.changed);
    version.changed = tick();
  }

  refuse(what: string, advice = 'do it before or after the captured function'): never {
    this.refused ??= new GpuError('CAPTURE', `capture: ${what} cannot be replayed; ${advice}`);
    throw this.refused;
  }

  /** Ends the capture and puts the host back as it was before. The replays hold the work of every run. */
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

// Scalars and modules belong to no Gpu, so they look here for the capture in progress.
let current: Recording | undefined;

/** @internal Sets the capture in progress, if any. */
export function setRecording(recording: Recording | undefined): void {
  current = recording;
}

/** @internal Returns the capture in progress, for objects that belong to no Gpu: scalars and modules. */
export const recordingUnderWay = (): Recording | undefined => current;

/** @internal Throws if a captured function is running, because a run would not repeat the change. */
export function refuseWhileRecording(what: string): void {
  current?.refuse(what, 'do it between runs');
}

/** @internal Does asynchronous work. Throws at once in a captured function, which could not catch a rejected promise. */
export function outsideCapture<T>(what: string, work: () => Promise<T>): Promise<T> {
  current?.refuse(what);
  return work();
}
