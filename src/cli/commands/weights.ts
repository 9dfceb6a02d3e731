import type { Command } from 'commander';
import { diagnoseClassWeight } from '../../adaptation/diagnostics.ts';
import { defaultRunOptions } from '../../train/methods/named.ts';
import { EXIT } from '../errors.ts';
import { trainingFlag, trainingOptions } from '../flags.ts';
import { describeDevice, deviceOf, withGpu } from '../gpu.ts';
import { addModelFlags, classWeightOf, type ModelFlags, prepareModelTask } from '../model.ts';
import { weightBars } from '../show/bars.ts';
import { readingNotes } from '../show/report.ts';
import type { Act, Terminal } from '../show/terminal.ts';

interface Flags extends ModelFlags {
  temperature: number;
}

/** `padagrad weights`: estimates which classes occur in unlabelled images, from a trained model's predictions. */
export function addWeights(root: Command, act: Act): void {
  const command = root
    .command('weights')
    .description('estimate which classes occur in unlabelled images, using a trained model');
  addModelFlags(command, 'train')
    .addOption(trainingFlag('temperature').default(defaultRunOptions.temperature))
    .action(act(weigh));
}

async function weigh(terminal: Terminal, flags: Flags): Promise<number> {
  const { data, split } = flags;
  const { temperature } = trainingOptions({ temperature: flags.temperature });
  const { model: saved, examples, classes, title, precision } = await prepareModelTask(flags, readingNotes(terminal));
  const { file } = saved;
  await withGpu(precision, async (gpu) => {
    const { bold, dim } = terminal.colors;
    terminal.line(bold(`${file} on ${title}`));
    terminal.line(dim(`${describeDevice(gpu.info)}; temperature ${temperature}`));
    const classWeight = await classWeightOf(gpu, saved, { examples, temperature });
    const diagnosis = diagnoseClassWeight(classWeight);
    const { effectiveClasses, entropy, collapsed } = diagnosis;
    for (const row of weightBars(classWeight, classes, terminal, saved.record?.classNames)) terminal.line(row);
    terminal.line(`${effectiveClasses.toFixed(1)} effective classes, entropy ${entropy.toFixed(2)}`);
    if (collapsed)
      terminal.warning(
        'the class weights have fewer than two effective classes; unless the data has only one or two, try a higher --temperature',
      );
    const { count } = examples;
    const device = deviceOf(gpu);
    terminal.emit({
      event: 'result',
      model: file,
      data,
      split,
      classes,
      count,
      temperature,
      classWeight,
      ...diagnosis,
      device,
    });
  });
  return EXIT.ok;
}
