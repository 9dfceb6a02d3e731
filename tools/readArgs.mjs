import process from 'node:process';
import { parseArgs } from 'node:util';

/**
 * Reads the arguments of a tool with `parseArgs`, and adds `--help`. A mistake prints one line and the usage, and exits with 2;
 * `refuse(problem)` does the same for mistakes that the tool finds.
 */
export function readArgs(usage, config) {
  const refuse = (problem) => {
    process.stderr.write(`${problem}\nusage: ${usage}\n`);
    process.exit(2);
  };
  try {
    const parsed = parseArgs({ ...config, options: { ...config.options, help: { type: 'boolean', short: 'h' } } });
    if (!parsed.values.help) return { ...parsed, refuse };
  } catch (error) {
    // Drops the advice on positional arguments that begin with a dash; no tool here takes one.
    refuse(error.message.split('. To specify')[0]);
  }
  process.stdout.write(`usage: ${usage}\n`);
  return process.exit(0);
}
