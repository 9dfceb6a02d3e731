// Builds the page and serves it to this machine: `node tools/servePage.mjs [--port N]`.
import process from 'node:process';
import { parseArgs } from 'node:util';
import { buildAndWeigh } from './page/build.mjs';
import { servePage } from './page/serve.mjs';

const FOLDER = '.build/page';

const { values } = parseArgs({ options: { port: { type: 'string', default: '8080' } } });
await buildAndWeigh(FOLDER);
try {
  const { address } = await servePage(FOLDER, Number(values.port));
  process.stderr.write(`serving the page at ${address} (Ctrl-C ends it)\n`);
} catch (error) {
  if (error.code !== 'EADDRINUSE') throw error;
  process.stderr.write(`page: port ${values.port} is taken; name another one: npm run page -- --port N\n`);
  process.exitCode = 1;
}
