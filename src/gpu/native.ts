/**
 * A type of WebGPU or the DOM by its name, or `unknown` if the user's TypeScript does not know it. So the declarations of this
 * package compile with and without `@webgpu/types`.
 */
export type Native<Name extends string> = typeof globalThis extends { [N in Name]: { prototype: infer Instance } }
  ? Instance
  : unknown;

// WebGPU's flags, with the values of the specification: Node has no such globals.
export const BufferUsage = {
  MAP_READ: 0x1,
  COPY_SRC: 0x4,
  COPY_DST: 0x8,
  UNIFORM: 0x40,
  STORAGE: 0x80,
  INDIRECT: 0x100,
  QUERY_RESOLVE: 0x200,
} as const;
export const MAP_MODE_READ = 1;
export const SHADER_STAGE_COMPUTE = 4;
