import { GpuError } from './errors.ts';
import type { Native } from './native.ts';

let clock = 0;

/** @internal Returns a number larger than all before it. It orders changes of tensors and the ops that read them. */
export const tick = (): number => ++clock;

/** @internal When a tensor was made and when its content last changed (PyTorch's version counter). Views share it. */
export interface Version {
  readonly made: number;
  changed: number;
}

/** @internal Returns the version of a new tensor. */
export function newVersion(): Version {
  const made = tick();
  return { made, changed: made };
}

/** @internal The pool that a storage belongs to. */
export interface StorageOwner {
  /** Takes back a storage that nothing uses any more. */
  reclaim(storage: Storage): void;
  /** Keeps a storage alive for the step that is captured. */
  pin(storage: Storage): void;
}

/**
 * @internal
 * One GPU buffer that tensors, views and captured steps share. Its owner takes the buffer back after the last `release()`. A
 * buffer that came from the caller (`fromBuffer`) stays the caller's.
 */
export class Storage {
  refs = 1;

  constructor(
    readonly owner: StorageOwner,
    private held: Native<'GPUBuffer'> | undefined,
    readonly bytes: number,
    readonly external: boolean,
  ) {}

  get buffer(): Native<'GPUBuffer'> {
    if (this.held === undefined)
      throw new GpuError(
        'CAPTURE',
        'capture: a tensor that the captured function made has no buffer before the function returns',
      );
    return this.held;
  }

  /** Set at the end of the capture that made this storage. */
  set buffer(buffer: Native<'GPUBuffer'>) {
    this.held = buffer;
  }

  retain(): this {
    this.refs++;
    return this;
  }

  release(): void {
    if (--this.refs === 0) this.owner.reclaim(this);
  }
}

/** A range of a storage. */
export interface BoundRange {
  /** @internal */ readonly storage: Storage;
  /** @internal */ readonly byteOffset: number;
  /** @internal */ readonly byteLength: number;
}

/** A range with its name in messages and the time of its last change. */
export interface Content extends BoundRange {
  readonly label: string;
  /** @internal */ readonly version?: Version;
}
