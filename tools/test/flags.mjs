import { availableParallelism } from 'node:os';
import { asked } from '../asked.mjs';

// More than two at a time starve one another on few cores: a software adapter uses all of them by itself.
const MOST_JOBS = 2;
const SECONDS = 300;

/** What a run of tests is asked for: `npm SCRIPT -- [NAME ...] [--profile NAME ...] ...`, and where its files are. */
export function testFlags(script, { seconds = SECONDS, places }) {
  const usage = `npm ${script} -- [NAME ...] [--profile NAME ...] [--jobs N] [--seconds N] [--list]`;
  const { values, positionals, refuse } = asked(usage, {
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
