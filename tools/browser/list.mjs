// Run as a program, with a bundled test file: the names of its tests in Node, as one line of JSON; none of them runs.
import process from 'node:process';

globalThis.UVU_DEFER = true;
globalThis.UVU_QUEUE = [[null]];
await import(process.argv[2]);
process.stdout.write(JSON.stringify(globalThis.tests.names));
