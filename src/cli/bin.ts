// The installed program `padagrad`. It runs the command line in a process of its own, because drivers are selected by environment
// variables that exist before a process starts, and because Dawn's warnings can only be left out by the reader of its output.
import { fileURLToPath } from 'node:url';
import { adapterSetUp } from './setup/place.ts';
import { runNode } from './setup/process.mjs';

const main = fileURLToPath(new URL('main.js', import.meta.url));
process.exitCode = await runNode([main, ...process.argv.slice(2)], adapterSetUp());
