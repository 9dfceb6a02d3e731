// Run as a program: what adapter Dawn sees in this environment, as one line of JSON. A process of its own, for the
// environment of the Vulkan loader is read once, and a broken driver may crash.
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { environment } from './process.mjs';

const TIMEOUT_MS = 60_000;

/** `{adapter}` if Dawn computes in an environment with these changes, `{}` if it sees none, `{broken}` if it does not even load. */
export function probe(changes) {
  const program = fileURLToPath(import.meta.url);
  const { stdout } = spawnSync(process.execPath, [program], {
    env: environment(changes),
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
  });
  return JSON.parse(stdout?.trim() || '{}');
}

async function look() {
  let dawn;
  try {
    dawn = await import('webgpu');
  } catch (error) {
    return { broken: error.message };
  }
  const gpu = dawn.create([]);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter || adapter.info.device === 'null-backend') return {};
  const device = await adapter.requestDevice();
  device.destroy();
  return { adapter: adapter.info.device || adapter.info.description };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = await look();
  process.stdout.write(JSON.stringify(found), () => process.exit());
}
