// What a tool is asked for by its arguments.
import process from 'node:process';
import { parseArgs } from 'node:util';

/** What `parseArgs` gives; a mistake is one line with the usage, and exit code 2. */
export function asked(usage, config) {
  const refuse = (problem) => {
    process.stderr.write(`${problem}\nusage: ${usage}\n`);
    process.exit(2);
  };
  try {
    const parsed = parseArgs({ ...config, options: { ...config.options, help: { type: 'boolean', short: 'h' } } });
    if (!parsed.values.help) return { ...parsed, refuse };
  } catch (error) {
    // What it says of a positional argument that looks like a flag is of no use here.
    refuse(error.message.split('. To specify')[0]);
  }
  process.stdout.write(`usage: ${usage}\n`);
  return process.exit(0);
}
