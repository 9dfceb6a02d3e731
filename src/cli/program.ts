import { Command, CommanderError } from 'commander';
import { version } from '../../package.json';
import { addAnalyse } from './commands/analyse.ts';
import { addBench } from './commands/bench.ts';
import { addDoctor } from './commands/doctor.ts';
import { addEval } from './commands/eval.ts';
import { addPredict } from './commands/predict.ts';
import { addRun } from './commands/run.ts';
import { addSelect } from './commands/select.ts';
import { addStart } from './commands/start.ts';
import { addTrain } from './commands/train.ts';
import { addWeights } from './commands/weights.ts';
import { describeFailure, EXIT, UsageError } from './errors.ts';
import { checkValues, meantFlag } from './flagValues.ts';
import { type Act, type Streams, Terminal } from './show/terminal.ts';

/** Runs one command line and returns the exit code. An error is one line on stderr, and with `--json` also an event. */
export async function main(args: readonly string[], streams: Streams): Promise<number> {
  let exitCode: number = EXIT.ok;
  const warnings: string[] = [];
  const act: Act = (work, fillsStdout) => async (flags) => {
    const json = flags.json === true;
    const terminal = new Terminal(streams, json, json || fillsStdout?.(flags));
    for (const message of warnings) terminal.warning(message);
    exitCode = await work(terminal, flags);
  };
  const root = new Command('padagrad')
    .description('Train and adapt a small network on WebGPU: PADA, DANN and source-only')
    .version(version, '-V, --version')
    .enablePositionalOptions()
    .exitOverride();
  root.configureOutput({
    writeOut: (text) => streams.stdout.write(text),
    writeErr: (text) => streams.stderr.write(text),
    outputError: () => {},
  });
  for (const add of [
    addStart,
    addTrain,
    addEval,
    addPredict,
    addWeights,
    addSelect,
    addAnalyse,
    addRun,
    addDoctor,
    addBench,
  ])
    add(root, act);
  for (const command of root.commands) checkValues(command, (message) => warnings.push(message));
  try {
    await root.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    if (error instanceof CommanderError && error.code === 'commander.help') return EXIT.usage;
    return fail(withHint(error, args, root), args, streams);
  }
}

/** Adds to the error for an unknown flag which one was probably meant, unless commander has found one. */
function withHint(error: unknown, args: readonly string[], root: Command): unknown {
  const [, flag] = /unknown option '(.*)'$/.exec((error as Error).message) ?? [];
  const command = root.commands.find((one) => one.name() === args[0]);
  const hint = flag && command && meantFlag(flag, command, root.commands);
  return hint ? new UsageError(`unknown option '${flag}'; ${hint}`, { cause: error }) : error;
}

function fail(error: unknown, args: readonly string[], streams: Streams): number {
  const failure = describeFailure(error);
  new Terminal(streams, args.includes('--json')).emit({ event: 'error', ...failure });
  streams.stderr.write(`padagrad: ${failure.message}\n`);
  if (args.includes('--debug')) {
    for (let cause = error; cause instanceof Error; cause = cause.cause) streams.stderr.write(`${cause.stack}\n`);
  }
  return failure.exitCode;
}
