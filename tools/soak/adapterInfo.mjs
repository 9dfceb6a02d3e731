// Prints what Dawn says about the adapter, as one line of JSON, so that a part of the soak can check that it runs where it should.
import process from 'node:process';
import { create } from 'webgpu';

const gpu = create([]);
const { info } = (await gpu.requestAdapter()) ?? {};
const { device, description, subgroupMinSize, subgroupMaxSize } = info ?? {};
const line = JSON.stringify({ device, description, subgroupMinSize, subgroupMaxSize });
process.stdout.write(line, () => process.exit());
