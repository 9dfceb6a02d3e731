// A loop that never ends would block the GPU for every program, and a software adapter forever. So an edited kernel first runs
// with a counter in each loop. If a counter exceeds the limit, it leaves the loop and raises a flag.
import { BufferUsage, MAP_MODE_READ, SHADER_STAGE_COMPUTE } from '../../../src/gpu/native.ts';

/**
 * How rounds are counted. `together`: all loops of an invocation, so that later invocations stop as soon as the flag is raised.
 * `apart`: each loop separately, which keeps control flow uniform, as barriers require.
 */
export type Counting = 'together' | 'apart';

/** Returns a kernel's text with its loops counted, every line at its place; undefined if it has no loops. */
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

/** Returns the place after the brace that opens a loop's body; -1 if there is none. */
function bodyFrom(code: string, from: number): number {
  let depth = 0;
  for (let i = from; i < code.length; i++) {
    if (code[i] === '(') depth++;
    if (code[i] === ')') depth--;
    if (code[i] === '{' && depth === 0) return i + 1;
  }
  return -1;
}

/** The flag that counters raise. It is bound in a second bind group for every kernel of a device. */
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

  /** Returns whether a counter raised the flag. */
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
