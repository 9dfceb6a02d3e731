import { GpuError } from './errors.ts';

/** @internal One `@group(0) @binding(n) var<...> name` of a module. */
export interface WgslBinding {
  name: string;
  index: number;
  type: 'uniform' | 'read-only-storage' | 'storage';
  /** Element type of the array; undefined for params. */
  dtype: 'f32' | 'u32' | undefined;
}

/** @internal One 4-byte field of `struct Params`. */
export interface WgslField {
  name: string;
  type: 'u32' | 'i32' | 'f32';
  offset: number;
}

/** @internal The facts about a WGSL module that the host needs, parsed from its text. The text is their only source. */
export interface WgslModule {
  code: string;
  bindings: ReadonlyMap<string, WgslBinding>;
  fields: readonly WgslField[];
  /** Bytes of `Params`; 0 if there is none. */
  paramsSize: number;
}

const BINDING =
  /@group\(0\)\s*@binding\((\d+)\)\s*var<\s*(uniform|storage)\s*(?:,\s*(read_write|read)\s*)?>\s*(\w+)\s*:\s*([^;]*)/g;
const PARAMS = /struct\s+Params\s*\{([^}]*)\}/;
const DIRECTIVE = /^[ \t]*(?:enable|requires)\s[^;]*;/gm;

/**
 * @internal
 * Joins the sources of one module and parses it. WGSL resolves functions in any order, so a GEMM kernel and the operands that
 * it loads may be two files. Only `enable` and `requires` must come first.
 */
export function parseWgsl(name: string, sources: readonly string[]): WgslModule {
  const text = sources.map(stripComments).join('\n');
  const directives = new Set((text.match(DIRECTIVE) ?? []).map((line) => line.trim()));
  // Directives leave an empty line behind, so that the compiler's line numbers stay right.
  const code = [...directives, text.replace(DIRECTIVE, '')].join('\n');
  const bindings = new Map<string, WgslBinding>();
  for (const [, index, space, access, variable, declared] of text.matchAll(BINDING)) {
    const type = space === 'uniform' ? 'uniform' : access === 'read_write' ? 'storage' : 'read-only-storage';
    bindings.set(variable!, { name: variable!, index: Number(index), type, dtype: elementType(declared!) });
  }
  const fields = parseFields(name, PARAMS.exec(text)?.[1] ?? '');
  return { code, bindings, fields, paramsSize: Math.ceil(fields.length / 4) * 16 };
}

// The scalar type inside array<f32>, array<vec4<f32>>, array<vec4f>, array<atomic<u32>>.
function elementType(declared: string): WgslBinding['dtype'] {
  if (/u32|vec\du/.test(declared)) return 'u32';
  return /f32|vec\df/.test(declared) ? 'f32' : undefined;
}

function parseFields(name: string, body: string): WgslField[] {
  const parts = body.split(',').map((part) => part.trim());
  return parts.filter(Boolean).map((part, i) => {
    const [, field, type] = /^(\w+)\s*:\s*(u32|i32|f32)$/.exec(part) ?? [];
    if (!field)
      throw new GpuError('KERNEL', `${name}: Params has the field '${part}', but fields must be u32, i32 or f32`);
    return { name: field, type: type as WgslField['type'], offset: 4 * i };
  });
}

// Keeps line ends, so that line numbers stay right.
const stripComments = (source: string): string => source.replace(/\/\/[^\n]*/g, '');

/** @internal Sets the lanes of a subgroup for an entry point. The compiler's line numbers stay right. */
export const withLanes = (code: string, entry: string, lanes: number): string =>
  `enable subgroup_size_control; ${code.replace(RegExp(`fn\\s+${entry}\\b`), `@subgroup_size(${lanes}) $&`)}`;
