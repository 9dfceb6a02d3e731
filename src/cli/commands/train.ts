// `padagrad train`: reads the flags, prepares the runs (run/job.ts), does them (run/runJob.ts), and chooses one if asked.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { EXIT, UsageError } from '../errors.ts';
import { addTrainFlags, checkMethodFlags, type TrainFlags } from '../flags.ts';
import { withGpu } from '../gpu.ts';
import { readConfig, resumedFlags } from '../run/config.ts';
import { removeFile, writeAtomically } from '../run/files.ts';
import { finishedRun, MODEL, RunFolder } from '../run/folder.ts';
import { type Job, prepareJob } from '../run/job.ts';
import { profileJob, writeTrace } from '../run/profile.ts';
import { folderOf, runJob } from '../run/runJob.ts';
import type { RunSelection } from '../run/selection.ts';
import { readingNotes } from '../show/report.ts';
import { seedsLine, summarizeSeeds } from '../show/summary.ts';
import type { Act, Terminal } from '../show/terminal.ts';
import { selectAndShow } from './select.ts';

interface Flags extends TrainFlags {
  profile?: string | true;
  select?: boolean;
}

const EXAMPLES = `
Examples:
  padagrad train --source fontdigits --target mnist --target-classes 0-4
  padagrad train --source folder:shop --target folder:phone --image-size 64 --out runs/shop
  padagrad train --source npy:a.npy --target npy:b.npy --seeds 0-4 --select --out runs/features
  padagrad train --resume runs/shop`;

/** `padagrad train`: adapts a classifier from labelled source images to unlabelled target images. */
export function addTrain(root: Command, act: Act): void {
  const command = root
    .command('train')
    .description('train on labelled source examples and adapt to unlabelled target examples')
    .addHelpText('after', EXAMPLES);
  addTrainFlags(command)
    .option(
      '--select',
      'after several --seeds, choose the best run without target labels (as `padagrad select`) and save it as model.safetensors in --out',
    )
    .option('--resume <dir>', 'resume the run in this output folder from its newest checkpoint')
    .option(
      '--profile [trace]',
      'before training, profile a few iterations; with a file name, also write a Chrome trace',
    );
  command.action(
    act(async (terminal, given: Flags) => {
      // 1. Read the flags, and the config of a run that is resumed.
      const config = given.resume === undefined ? undefined : await readConfig(given.resume);
      const flags = config ? resumedFlags(command, given, given.resume!, config) : given;
      requireData(command, flags);
      if (!config) checkMethodFlags(command, flags);
      const finished = config && finishedRun(given.resume!);
      if (finished) {
        terminal.note(`the run in ${given.resume} is already finished`);
        terminal.emit({ event: 'result', ...finished });
        return EXIT.ok;
      }
      // 2. Load and check the data, before the GPU is opened.
      const job = await prepareJob(flags, { ...(config && { resume: config }), reading: readingNotes(terminal) });
      const { profile } = flags;
      if (flags.select) checkSelect(job);
      if (typeof profile === 'string') writeTrace(profile);
      // 3. Train.
      const { runs, exitCode } = await withGpu(job.options[0].float32MatmulPrecision, async (gpu) => {
        if (profile) await profileJob(terminal, gpu, job, profile === true ? undefined : profile);
        return runJob(terminal, gpu, job);
      });
      const result = job.seeds.length > 1 ? summarizeSeeds(runs) : runs[0]!;
      if ('runs' in result) terminal.line(seedsLine(result));
      // 4. Choose a run. It is the model of the folder.
      const selection = flags.select && exitCode === EXIT.ok ? await keepSelected(terminal, job) : undefined;
      terminal.emit({ event: 'result', ...result, ...(selection && { selection }) });
      return exitCode;
    }),
  );
}

function requireData(command: Command, flags: TrainFlags): void {
  for (const name of ['source', 'target'] as const) {
    if (flags[name] !== undefined) continue;
    const { flags: spelling } = command.options.find((option) => option.attributeName() === name)!;
    throw new UsageError(`required option '${spelling}' not specified`);
  }
}

/** @throws UsageError unless there is something to choose from, and a folder to keep it in */
function checkSelect({ out, seeds }: Job): void {
  if (out === undefined || seeds.length < 2)
    throw new UsageError('--select compares saved runs: pass --out, and several seeds such as --seeds 0-4');
  if (RunFolder.holdsRun(out))
    throw new UsageError(`--out ${out} holds another run, whose model --select would replace; choose another folder`);
  removeFile(join(out, MODEL));
}

/** Chooses one of the runs of a job, and copies its model into the folder that holds them. */
async function keepSelected(terminal: Terminal, job: Job): Promise<RunSelection> {
  const folders = job.seeds.map((seed) => folderOf(job, { ...job.options[0], seed }));
  const selection = await selectAndShow(terminal, job, { folders });
  const file = join(job.out!, MODEL);
  writeAtomically(file, readFileSync(join(selection.selected, MODEL)));
  terminal.line(`saved as ${file}`);
  return selection;
}
