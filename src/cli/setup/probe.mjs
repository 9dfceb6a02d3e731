// Looks for an adapter in a process of its own, because the Vulkan loader reads its environment only once and a broken driver may crash.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { environment } from './process.mjs';

const TIMEOUT_MS = 60_000;

// Prints the adapter that Dawn finds, as one line of JSON. A text, because the command line is bundled into one file.
const PROGRAM = `
  const [, module] = process.argv;
  const found = await import(module).then(look, (error) => ({ broken: error.message }));
  process.stdout.write(JSON.stringify(found), () => process.exit());

  async function look({ create }) {
    const gpu = create([]);
    const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
    if (!adapter || adapter.info.device === 'null-backend') return {};
    const device = await adapter.requestDevice();
    device.destroy();
    return { adapter: adapter.info.device || adapter.info.description };
  }
`;

/** Returns `{adapter}` if Dawn finds one in an environment with these changes, `{}` if not, `{broken}` if Dawn cannot be loaded. */
export function probe(changes) {
  let dawn;
  try {
    dawn = pathToFileURL(createRequire(import.meta.url).resolve('webgpu')).href;
  } catch {
    return { broken: 'it is not installed; run `npm install webgpu`' };
  }
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', PROGRAM, dawn], {
    env: environment(changes),
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
  });
  return JSON.parse(stdout?.trim() || '{}');
}
