// Prints what Dawn says about the adapter, so that a part of the soak can check that it runs where it should. The last line is JSON. Dawn
// prints the others: what its compiler makes of a kernel that reads at an index which nothing bounds.
import process from 'node:process';
import { create } from 'webgpu';

const KERNEL = `
@group(0) @binding(0) var<storage, read_write> data: array<u32>;
@compute @workgroup_size(1) fn main() { data[0] = data[data[0]]; }`;

const gpu = create(['enable-dawn-features=dump_shaders']);
const adapter = await gpu.requestAdapter();
const { device, description, subgroupMinSize, subgroupMaxSize } = adapter?.info ?? {};
const gpuDevice = await adapter?.requestDevice();
const module = gpuDevice?.createShaderModule({ code: KERNEL });
await gpuDevice?.createComputePipelineAsync({ layout: 'auto', compute: { module } });
const line = JSON.stringify({ device, description, subgroupMinSize, subgroupMaxSize });
process.stdout.write(`\n${line}`, () => process.exit());
