// Builds the page and serves it on this machine: `npm run page -- [--port N]`.
import process from 'node:process';
import { buildAndWeigh } from './page/build.mjs';
import { servePage } from './page/serve.mjs';
import { readArgs } from './readArgs.mjs';

const FOLDER = '.build/page';

const { values, refuse } = readArgs('npm run page -- [--port N]', {
  options: { port: { type: 'string', default: '8080' } },
});
if (!/^\d+$/.test(values.port) || Number(values.port) > 65_535)
  refuse(`page: --port must be from 0 to 65535 but is ${values.port}`);
await buildAndWeigh(FOLDER);
try {
  const { address } = await servePage(FOLDER, Number(values.port));
  process.stderr.write(`serving the page at ${address} (Ctrl-C to stop)\n`);
} catch (error) {
  if (error.code !== 'EADDRINUSE') throw error;
  process.stderr.write(`page: port ${values.port} is in use; choose another: npm run page -- --port N\n`);
  process.exitCode = 1;
}
