import { Command, CommanderError } from 'commander';
import { description, version } from '../../package.json';
import { addBench } from './bench.ts';
import type { Context } from './context.ts';
import { addDoctor } from './doctor.ts';
import { describeFailure, EXIT } from './errors.ts';
import { addEval } from './eval.ts';
import { addStart } from './start.ts';
import { Terminal } from './terminal.ts';
import { addTrain } from './train.ts';
import { addWeights } from './weights.ts';

/** Runs one command line; gives the exit code. Whatever goes wrong is one line on stderr, and one event under `--json`. */
export async function main(args: readonly string[], context: Context): Promise<number> {
  const root = new Command('padagrad').description(description).version(version, '-V, --version').exitOverride();
  root.configureOutput({
    writeOut: (text) => context.stdout.write(text),
    writeErr: (text) => context.stderr.write(text),
    outputError: () => {},
  });
  for (const add of [addStart, addTrain, addEval, addWeights, addDoctor, addBench]) add(root, context);
  try {
    await root.parseAsync(args, { from: 'user' });
    return context.exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    if (error instanceof CommanderError && error.code === 'commander.help') return EXIT.usage;
    return fail(error, args, context);
  }
}

function fail(error: unknown, args: readonly string[], context: Context): number {
  const failure = describeFailure(error);
  new Terminal(context.stdout, context.stderr, args.includes('--json')).emit({ event: 'error', ...failure });
  context.stderr.write(`padagrad: ${failure.message}\n`);
  if (args.includes('--debug')) {
    for (let cause = error; cause instanceof Error; cause = cause.cause) context.stderr.write(`${cause.stack}\n`);
  }
  return failure.exitCode;
}
