import { availableParallelism } from 'node:os';
import { readArgs } from '../readArgs.mjs';

// A software adapter uses all cores by itself, so more jobs only compete.
const MOST_JOBS = 2;
const SECONDS = 300;

/** Reads the arguments of a test run, `npm SCRIPT -- [NAME ...] [--profile NAME ...] ...`. `places` are further flags that name folders. */
export function testFlags(script, { seconds = SECONDS, places }) {
  const usage = `npm ${script} -- [NAME ...] [--profile NAME ...] [--jobs N] [--seconds N] [--list]`;
  const { values, positionals, refuse } = readArgs(usage, {
    allowPositionals: true,
    options: {
      profile: { type: 'string', multiple: true },
      jobs: { type: 'string', default: String(Math.min(MOST_JOBS, availableParallelism())) },
      seconds: { type: 'string', default: String(seconds) },
      list: { type: 'boolean' },
      ...Object.fromEntries(Object.entries(places).map(([name, place]) => [name, { type: 'string', default: place }])),
    },
  });
  for (const name of ['jobs', 'seconds'])
    if (!(Number(values[name]) > 0)) refuse(`test: --${name} must be a number > 0 but is ${values[name]}`);
  return { flags: values, filters: positionals };
}
