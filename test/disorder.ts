import { BufferUsage, SHADER_STAGE_COMPUTE } from '../src/gpu/native.ts';

/** Orders of work that differ from the adapter's own. */
export const ORDERS = ['reversed', 'shuffled'] as const;
export type Order = (typeof ORDERS)[number];

/**
 * Makes a device run the workgroups of every kernel, and the invocations of every workgroup, in another order. It rewrites each kernel
 * so that an invocation does the work of another one. No result may depend on the order. Software adapters run workgroups one by one and
 * invocations in step, which hides races; another order shows them.
 *
 * Compiling takes most of a test's time, so one kernel serves all orders and reads the order from a uniform.
 * Returns a function that sets the order of all later submits and returns the previous one; `undefined` is the adapter's own.
 */
export function disorder(device: GPUDevice): (order: Order | undefined) => Order | undefined {
  const { createShaderModule, createPipelineLayout, createCommandEncoder } = device;
  const buffer = device.createBuffer({ size: 16, usage: BufferUsage.UNIFORM | BufferUsage.COPY_DST });
  const layout = device.createBindGroupLayout({
    entries: [{ binding: 0, visibility: SHADER_STAGE_COMPUTE, buffer: { type: 'uniform' } }],
  });
  const group = device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer } }] });
  const replace = (target: object, name: string, value: unknown) =>
    Object.defineProperty(target, name, { configurable: true, value });

  replace(device, 'createShaderModule', (descriptor: GPUShaderModuleDescriptor) =>
    createShaderModule.call(device, { ...descriptor, code: disordered(descriptor.code) }),
  );
  replace(device, 'createPipelineLayout', ({ bindGroupLayouts, ...rest }: GPUPipelineLayoutDescriptor) =>
    createPipelineLayout.call(device, { ...rest, bindGroupLayouts: [...bindGroupLayouts, layout] }),
  );
  replace(device, 'createCommandEncoder', (descriptor?: GPUCommandEncoderDescriptor) => {
    const encoder = createCommandEncoder.call(device, descriptor);
    const { beginComputePass } = encoder;
    replace(encoder, 'beginComputePass', (pass?: GPUComputePassDescriptor) => {
      const begun = beginComputePass.call(encoder, pass);
      begun.setBindGroup(1, group);
      return begun;
    });
    return encoder;
  });
  let order: Order | undefined;
  return (next) => {
    const before = order;
    order = next;
    device.queue.writeBuffer(buffer, 0, Uint32Array.of(next ? ORDERS.indexOf(next) + 1 : 0));
    return before;
  };
}

// Loops over literal bounds, which a compiler unrolls.
const LOOP = /(for \(var (\w+) = [^;]*\b\d+u[^;]*; \2 < )([^;&|]+)(?=;)/g;
const ENTRY = /@compute\s*@workgroup_size\(([^)]*)\)\s*(?:@subgroup_size\(\d+\)\s*)?fn\s+\w+\(([^{]*)\)\s*\{/g;

// A stride without a common divisor with the count visits every place once.
const PLACE = `switch own_order.x {
    case 1u: { return count - 1u - i; }
    case 2u: { return i * select(select(41u, 37u, count % 37u != 0u), 31u, count % 31u != 0u) % count; }
    default: { return i; }
  }`;

function disordered(code: string): string {
  let found = 0;
  const entries = code
    .replace(LOOP, '$1($3) + own_order.y')
    .replace(ENTRY, (header, size: string, parameters: string) => {
      found++;
      const names = new Map(
        Array.from(parameters.matchAll(/@builtin\((\w+)\)\s*(\w+)/g), ([, builtin, name]) => [builtin!, name!]),
      );
      const replaced: string[] = [];
      let inputs = parameters;
      const input = (builtin: string, type: string): string => {
        const name = names.get(builtin);
        if (name) inputs = inputs.replace(new RegExp(`\\b${name}\\b(?=\\s*:)`), `own_${builtin}`);
        else inputs += `${inputs.trim() ? ', ' : ''}@builtin(${builtin}) own_${builtin}: ${type}`;
        return `own_${builtin}`;
      };
      const takes = (builtin: string, value: string): void => {
        const name = names.get(builtin);
        if (name) replaced.push(`let ${name} = ${value};`);
      };
      const groups = input('num_workgroups', 'vec3u');
      takes('num_workgroups', groups);
      const group = `other_group(${input('workgroup_id', 'vec3u')}, ${groups})`;
      takes('workgroup_id', group);
      // Lanes of a subgroup keep their places, because kernels address them by number.
      const index = input('local_invocation_index', 'u32');
      const thread = /subgroup/.test(parameters) ? index : `other_place(${index}, u32(${size}))`;
      takes('local_invocation_index', thread);
      takes('global_invocation_id', `${group} * vec3u(u32(${size}), 1u, 1u) + vec3u(${thread}, 0u, 0u)`);
      if (names.has('global_invocation_id')) input('global_invocation_id', 'vec3u');
      return `${header.slice(0, header.lastIndexOf(`(${parameters}`))}(${inputs}) { ${replaced.join(' ')}`;
    });
  if (found < code.split('@compute').length - 1)
    throw new Error(`disorder: an entry point is written in another way:\n${code}`);
  return `${entries}
    @group(1) @binding(0) var<uniform> own_order: vec2u;
    fn other_place(i: u32, count: u32) -> u32 { ${PLACE} }
    fn other_group(id: vec3u, groups: vec3u) -> vec3u {
      let other = other_place(id.x + groups.x * (id.y + groups.y * id.z), groups.x * groups.y * groups.z);
      return vec3u(other % groups.x, other / groups.x % groups.y, other / (groups.x * groups.y));
    }`;
}
