import type { Gpu } from './gpu.ts';
import type { Native } from './native.ts';

/**
 * @internal
 * One GPU buffer shared by tensors, views and captured steps. When the last of them lets go, the pool takes the buffer
 * back; a buffer that came from the caller (`fromBuffer`) is left to the caller.
 */
export class Storage {
  refs = 1;
  constructor(
    readonly gpu: Gpu,
    readonly buffer: Native<'GPUBuffer'>,
    readonly bytes: number,
    readonly external: boolean,
  ) {}

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
  readonly label: string;
  readonly dtype: 'f32' | 'u32';
}
