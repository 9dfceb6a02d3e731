// As a program: prints the adapter that Dawn finds, as one line of JSON. It runs in a process of its own, because the Vulkan loader
// reads its environment only once and a broken driver may crash.
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { environment } from './process.mjs';

const TIMEOUT_MS = 60_000;

/** Returns `{adapter}` if Dawn finds one in an environment with these changes, `{}` if not, `{broken}` if Dawn cannot be loaded. */
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
