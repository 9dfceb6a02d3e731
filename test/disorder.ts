/** Another order in which a device does the same work. */
export type Order = 'reversed' | 'shuffled';

/**
 * Makes a device run the workgroups of every kernel, and the invocations of a workgroup, in another order: it compiles kernels in which
 * each takes the place of another. What comes out may not depend on it. Adapters that run on a CPU do workgroups one after the
 * other and invocations in step, so that a race goes unnoticed as long as the order is the one that hides it.
 */
export function disorder(device: GPUDevice, order: Order): void {
  const original = device.createShaderModule.bind(device);
  Object.defineProperty(device, 'createShaderModule', {
    configurable: true,
    value: (descriptor: GPUShaderModuleDescriptor) =>
      original({ ...descriptor, code: disordered(descriptor.code, order) }),
  });
}

const ENTRY = /@compute\s*@workgroup_size\(([^)]*)\)\s*fn\s+\w+\(([^{]*)\)\s*\{/g;

// A stride that has no divisor in common with the count visits every place once.
const PLACE: Record<Order, string> = {
  reversed: 'count - 1u - i',
  shuffled: 'i * select(select(41u, 37u, count % 37u != 0u), 31u, count % 31u != 0u) % count',
};

function disordered(code: string, order: Order): string {
  let found = 0;
  const entries = code.replace(ENTRY, (header, size: string, parameters: string) => {
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
    // Lanes of a subgroup stay where they are: they know each other by their numbers.
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
    fn other_place(i: u32, count: u32) -> u32 { return ${PLACE[order]}; }
    fn other_group(id: vec3u, groups: vec3u) -> vec3u {
      let other = other_place(id.x + groups.x * (id.y + groups.y * id.z), groups.x * groups.y * groups.z);
      return vec3u(other % groups.x, other / groups.x % groups.y, other / (groups.x * groups.y));
    }`;
}
