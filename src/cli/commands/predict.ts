import { constants, copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { limit } from '../../data/subset.ts';
import { type LabelRow, labelRows, labelsCsv } from '../../train/labelTable.ts';
import { predict } from '../../train/predict.ts';
import { imageFolder } from '../data.ts';
import { EXIT, UsageError } from '../errors.ts';
import { describeDevice, withGpu } from '../gpu.ts';
import {
  addModelFlags,
  BATCH,
  classWeightOf,
  type ModelFlags,
  NotFiniteModelError,
  openModel,
  prepareModelTask,
} from '../model.ts';
import { reasonOf, writeAtomically } from '../run/files.ts';
import { counted } from '../show/format.ts';
import { readingNotes } from '../show/report.ts';
import type { Act, Terminal } from '../show/terminal.ts';

interface Flags extends ModelFlags {
  csv?: string;
  copyTo?: string;
}

const EXAMPLES = `
Examples:
  padagrad predict --model runs/shop --data folder:phone --csv labels.csv
  padagrad predict --model runs/shop --data folder:phone --copy-to sorted`;

/** `padagrad predict`: labels examples with a trained model. */
export function addPredict(root: Command, act: Act): void {
  const command = root
    .command('predict')
    .description('label examples with a trained model: one line per example, as CSV or JSON');
  addModelFlags(command, 'test')
    .addHelpText('after', EXAMPLES)
    .optionsGroup('Output:')
    .addOption(new Option('--csv <file>', 'write the labels to this file (default or -: to stdout)').conflicts('json'))
    .option(
      '--copy-to <dir>',
      'copy each image file into a folder per predicted class; nothing is moved or overwritten',
    )
    .action(act(label, fillsStdout));
}

const fillsStdout = ({ csv = '-' }: Flags): boolean => csv === '-' || csv === '/dev/stdout';

async function label(terminal: Terminal, flags: Flags): Promise<number> {
  const { data, copyTo } = flags;
  const { model: saved, examples, title, precision } = await prepareModelTask(flags, readingNotes(terminal));
  const folder = copyTo === undefined ? undefined : imageFolder(data, flags);
  if (copyTo !== undefined && folder === undefined)
    throw new UsageError(`--copy-to copies image files, but --data ${data} has none; use folder:DIR or list:FILE`);
  const rows = await withGpu(precision, async (gpu) => {
    terminal.note(`${saved.file} on ${title}, ${describeDevice(gpu.info)}`);
    // Finite weights that are much too large give logits that are not finite, which the first batch shows.
    await classWeightOf(gpu, saved, { examples: limit(examples, BATCH), temperature: 1 });
    const model = openModel(gpu, saved, examples);
    const { probabilities } = await predict(gpu, { data: examples, model });
    if (!probabilities.every(Number.isFinite))
      throw new NotFiniteModelError(saved.file, 'its logits of some examples are not finite');
    return labelRows(examples, probabilities, saved.record?.classNames ?? undefined);
  });
  if (folder !== undefined) copyFiles(rows, folder, copyTo!, terminal);
  if (flags.json) {
    for (const row of rows) terminal.emit({ event: 'prediction', ...row });
    terminal.emit({ event: 'result', model: saved.file, data, count: rows.length });
  } else if (fillsStdout(flags)) terminal.result(labelsCsv(rows));
  else {
    writeAtomically(flags.csv!, labelsCsv(rows));
    terminal.note(`${counted(rows.length, 'label')} in ${flags.csv}`);
  }
  return EXIT.ok;
}

/**
 * Copies each file into a folder named by its label. A file that is there already with the same content is left as it is, so an
 * interrupted copy can be repeated.
 *
 * @throws UsageError if another file has the name, or the file system refuses
 */
function copyFiles(rows: readonly LabelRow[], from: string, to: string, terminal: Terminal): void {
  const taken = new Map<string, string>();
  for (const { file, label } of rows) {
    const target = join(to, folderName(label), basename(file));
    const other = taken.get(target);
    if (other !== undefined)
      throw new UsageError(`--copy-to ${to}: ${other} and ${file} both become ${target}; rename one of them`);
    taken.set(target, file);
  }
  for (const [target, file] of taken) {
    try {
      mkdirSync(dirname(target), { recursive: true });
      copyFileSync(resolve(from, file), target, constants.COPYFILE_EXCL);
    } catch (cause) {
      const isThere = (cause as NodeJS.ErrnoException).code === 'EEXIST';
      if (isThere && readFileSync(resolve(from, file)).equals(readFileSync(target))) continue;
      const reason = isThere ? 'another file has this name; choose an empty folder' : reasonOf(cause);
      throw new UsageError(`--copy-to ${to}: ${target}: ${reason}`, { cause });
    }
  }
  terminal.note(`${counted(rows.length, 'image')} copied to ${resolve(to)}`);
}

/** A class name as the name of a folder: what a path cannot hold becomes _. */
function folderName(label: string): string {
  const safe = label.replace(/[/\\:*?"<>|\p{Cc}]/gu, '_');
  return /^\.*$/.test(safe) ? `_${safe}` : safe;
}
