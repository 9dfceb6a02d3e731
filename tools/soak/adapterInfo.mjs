// Prints what Dawn says about the adapter, and how many lanes its subgroups have in truth, so that a part of the soak can check that it
// runs where it should. The last line is JSON. Dawn prints the others: what its compiler makes of a kernel that reads at an index which
// nothing bounds.
import process from 'node:process';
import { create, globals } from 'webgpu';

Object.assign(globalThis, globals);

const UNBOUNDED = `
@group(0) @binding(0) var<storage, read_write> data: array<u32>;
@compute @workgroup_size(1) fn main() { data[0] = data[data[0]]; }`;

// Lavapipe of Mesa 25 reports 32 lanes for vectors of 1024 bits, and has 16.
const LANES = `enable subgroups;
@group(0) @binding(0) var<storage, read_write> lanes: array<u32>;
@compute @workgroup_size(64) fn main() { lanes[0] = subgroupAdd(1u); }`;

async function lanesOf(device) {
  const compute = { module: device.createShaderModule({ code: LANES }) };
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute });
  const written = device.createBuffer({ size: 4, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
  const read = device.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const layout = pipeline.getBindGroupLayout(0);
  const group = device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer: written } }] });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(1);
  pass.end();
  encoder.copyBufferToBuffer(written, 0, read, 0, 4);
  device.queue.submit([encoder.finish()]);
  await read.mapAsync(GPUMapMode.READ);
  return new Uint32Array(read.getMappedRange())[0];
}

const gpu = create(['enable-dawn-features=dump_shaders']);
const adapter = await gpu.requestAdapter();
const info = {};
if (adapter) {
  const requiredFeatures = adapter.features.has('subgroups') ? ['subgroups'] : [];
  const device = await adapter.requestDevice({ requiredFeatures });
  const compute = { module: device.createShaderModule({ code: UNBOUNDED }) };
  await device.createComputePipelineAsync({ layout: 'auto', compute });
  info.device = adapter.info.device;
  info.description = adapter.info.description;
  if (requiredFeatures.length > 0) info.lanes = await lanesOf(device);
}
process.stdout.write(`\n${JSON.stringify(info)}`, () => process.exit());
