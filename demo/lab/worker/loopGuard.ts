import { BufferUsage, MAP_MODE_READ, SHADER_STAGE_COMPUTE } from '../../../src/gpu/native.ts';

// A loop that never ends would take the GPU away from everybody, and a software adapter for good. So a kernel with loops is run
// once with a counter in each of them, which leaves the loop, and raises a flag, when it has counted too far.

/**
 * Where rounds are counted: all of an invocation together, so that those that start after the flag was raised leave at once; or each
 * loop's by themselves, which keeps control flow as uniform as barriers need it.
 */
export type Counting = 'together' | 'apart';

/** A kernel's text with its loops counted; undefined where it has none. Everything stays on its line. */
export function guard(text: string, limit: number, counting: Counting): string | undefined {
  const code = text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/\/\/[^\n]*/g, '');
  const together = counting === 'together';
  let guarded = '';
  let at = 0;
  let loops = 0;
  for (const { 0: word, index } of code.matchAll(/\b(?:for|while|loop)\b/g)) {
    const body = bodyFrom(code, index + word.length);
    if (body < 0) return undefined;
    const counter = together ? 'guardRounds' : `guardRounds${loops}`;
    const declared = together ? '' : `var ${counter} = 0u; `;
    const late = together
      ? `if (${counter} == 1u && atomicLoad(&guardFlag) != 0u) { ${counter} = ${limit + 1}u; } `
      : '';
    const left = `if (${counter} > ${limit}u) { atomicStore(&guardFlag, 1u); break; }`;
    guarded += `${code.slice(at, index)}${declared}${code.slice(index, body)} ${counter} += 1u; ${late}${left} `;
    at = body;
    loops++;
  }
  if (loops === 0) return undefined;
  const shared = together ? ' var<private> guardRounds: u32;' : '';
  return `${guarded}${code.slice(at)}\n@group(1) @binding(0) var<storage, read_write> guardFlag: atomic<u32>;${shared}\n`;
}

/** Behind the brace that opens a loop's body, its conditions left behind; -1 where there is none. */
function bodyFrom(code: string, from: number): number {
  let depth = 0;
  for (let i = from; i < code.length; i++) {
    if (code[i] === '(') depth++;
    if (code[i] === ')') depth--;
    if (code[i] === '{' && depth === 0) return i + 1;
  }
  return -1;
}

/** The flag that counters raise: bound beside all that a kernel binds itself, on a device that does nothing else. */
export class Flag {
  private readonly buffer: GPUBuffer;

  constructor(private readonly device: GPUDevice) {
    this.buffer = device.createBuffer({ size: 4, usage: BufferUsage.STORAGE | BufferUsage.COPY_SRC });
    const layout = device.createBindGroupLayout({
      entries: [{ binding: 0, visibility: SHADER_STAGE_COMPUTE, buffer: { type: 'storage' } }],
    });
    const group = device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer: this.buffer } }] });
    const { createPipelineLayout, createCommandEncoder } = device;
    device.createPipelineLayout = ({ bindGroupLayouts, ...rest }) =>
      createPipelineLayout.call(device, { ...rest, bindGroupLayouts: [...bindGroupLayouts, layout] });
    device.createCommandEncoder = (descriptor) => {
      const encoder = createCommandEncoder.call(device, descriptor);
      const { beginComputePass } = encoder;
      encoder.beginComputePass = (asked) => {
        const pass = beginComputePass.call(encoder, asked);
        pass.setBindGroup(1, group);
        return pass;
      };
      return encoder;
    };
  }

  /** Whether a counter raised it. */
  async raised(): Promise<boolean> {
    const { device, buffer } = this;
    const read = device.createBuffer({ size: 4, usage: BufferUsage.MAP_READ | BufferUsage.COPY_DST });
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, read, 0, 4);
    device.queue.submit([encoder.finish()]);
    await read.mapAsync(MAP_MODE_READ);
    return new Uint32Array(read.getMappedRange())[0] !== 0;
  }
}
