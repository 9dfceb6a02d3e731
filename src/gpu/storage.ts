import { GpuError } from './errors.ts';
import type { Gpu } from './gpu.ts';
import type { Native } from './native.ts';
import type { Version } from './recording.ts';

/**
 * @internal
 * One GPU buffer shared by tensors, views and captured steps. When the last of them lets go, the pool takes the buffer
 * back; a buffer that came from the caller (`fromBuffer`) is left to the caller.
 */
export class Storage {
  refs = 1;

  constructor(
    readonly gpu: Gpu,
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

  /** Given at the end of the capture that made this storage. */
  set buffer(buffer: Native<'GPUBuffer'>) {
    this.held = buffer;
  }

  retain(): this {
    this.refs++;
    return this;
  }

  release(): void {
    if (--this.refs === 0) this.gpu.pool.reclaim(this);
  }
}

/** @internal A range of a storage. */
export interface BoundRange {
  readonly storage: Storage;
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** What a kernel is given to bind. Tensors are bindings. */
export interface Binding {
  /** @internal */ readonly storage: Storage;
  /** @internal */ readonly byteOffset: number;
  /** @internal */ readonly byteLength: number;
  /** @internal When its content changed. */ readonly version?: Version;
  readonly label: string;
  readonly dtype: 'f32' | 'u32';
}
