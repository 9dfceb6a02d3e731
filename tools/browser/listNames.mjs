// Run as a program with bundled test files: the names of each one's tests in Node, as one line of JSON. None of them runs.
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const program = fileURLToPath(import.meta.url);

/** Names of the tests of a profile by file, as Node sees them; of a file that cannot be loaded there is no entry. */
export function listNames(files, profile) {
  const env = { ...process.env, PADAGRAD_TEST_PROFILE: profile };
  const { stdout } = spawnSync(process.execPath, [program, ...files], { encoding: 'utf8', maxBuffer: 1 << 26, env });
  return JSON.parse(stdout || '{}');
}

if (process.argv[1] === program) {
  globalThis.UVU_DEFER = true;
  globalThis.UVU_QUEUE = [[null]];
  const names = {};
  for (const file of process.argv.slice(2)) {
    try {
      await import(pathToFileURL(resolve(file)).href);
      names[file] = globalThis.tests.names;
    } catch (error) {
      process.stderr.write(`${file}: ${error.stack}\n`);
    }
  }
  process.stdout.write(JSON.stringify(names), () => process.exit());
}
