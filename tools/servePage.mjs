// Builds the page and serves it to this machine: `node tools/servePage.mjs [--port N]`.
import process from 'node:process';
import { asked } from './asked.mjs';
import { buildAndWeigh } from './page/build.mjs';
import { servePage } from './page/serve.mjs';

const FOLDER = '.build/page';

const USAGE = 'npm run page -- [--port N]';

const { values, refuse } = asked(USAGE, { options: { port: { type: 'string', default: '8080' } } });
if (!/^\d+$/.test(values.port) || Number(values.port) > 65_535)
  refuse(`page: --port must be 0 to 65535 but is ${values.port}`);
await buildAndWeigh(FOLDER);
try {
  const { address } = await servePage(FOLDER, Number(values.port));
  process.stderr.write(`serving the page at ${address} (Ctrl-C ends it)\n`);
} catch (error) {
  if (error.code !== 'EADDRINUSE') throw error;
  process.stderr.write(`page: port ${values.port} is taken; name another one: npm run page -- --port N\n`);
  process.exitCode = 1;
}
