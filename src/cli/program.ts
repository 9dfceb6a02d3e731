import { Command, CommanderError } from 'commander';
import { description, version } from '../../package.json';
import { addBench } from './commands/bench.ts';
import { addDoctor } from './commands/doctor.ts';
import { addEval } from './commands/eval.ts';
import { addStart } from './commands/start.ts';
import { addTrain } from './commands/train.ts';
import { addWeights } from './commands/weights.ts';
import type { Context } from './context.ts';
import { describeFailure, EXIT, UsageError } from './errors.ts';
import { checkValues, meantFlag } from './flags.ts';
import { Terminal } from './show/terminal.ts';

/** Runs one command line; gives the exit code. Whatever goes wrong is one line on stderr, and one event under `--json`. */
export async function main(args: readonly string[], context: Context): Promise<number> {
  const root = new Command('padagrad').description(description).version(version, '-V, --version').exitOverride();
  root.configureOutput({
    writeOut: (text) => context.stdout.write(text),
    writeErr: (text) => context.stderr.write(text),
    outputError: () => {},
  });
  for (const add of [addStart, addTrain, addEval, addWeights, addDoctor, addBench]) add(root, context);
  const warnings: string[] = [];
  for (const command of root.commands) checkValues(command, (message) => warnings.push(message));
  root.hook('preAction', (_, command) => {
    const terminal = new Terminal(context.stdout, context.stderr, command.opts().json === true);
    for (const message of warnings) terminal.warning(message);
  });
  try {
    await root.parseAsync(args, { from: 'user' });
    return context.exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    if (error instanceof CommanderError && error.code === 'commander.help') return EXIT.usage;
    return fail(withHint(error, args, root), args, context);
  }
}

/** Adds to the error of an unknown flag which one was probably meant, unless commander has found it by its letters. */
function withHint(error: unknown, args: readonly string[], root: Command): unknown {
  const [, flag] = /unknown option '(.*)'$/.exec((error as Error).message) ?? [];
  const command = root.commands.find((one) => one.name() === args[0]);
  const hint = flag && command && meantFlag(flag, command, root.commands);
  return hint ? new UsageError(`unknown option '${flag}'; ${hint}`, { cause: error }) : error;
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
