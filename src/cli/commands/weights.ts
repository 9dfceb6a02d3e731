import { type Command, Option } from 'commander';
import { diagnoseClassWeight } from '../../adaptation/diagnostics.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { defaultOptions } from '../../train/options.ts';
import { type Context, withGpu } from '../context.ts';
import { describeDevice, deviceOf } from '../device.ts';
import { positive } from '../flags.ts';
import { addModelFlags, type ModelFlags, prepareModelTask } from '../modelTask.ts';
import { weightBars } from '../show/bars.ts';
import { Terminal } from '../show/terminal.ts';

interface WeightsFlags extends ModelFlags {
  temperature: number;
}

/** `padagrad weights`: how much each class takes part in some images, by a trained model's own predictions. */
export function addWeights(root: Command, context: Context): void {
  const command = root
    .command('weights')
    .description('class weights that a trained model gives images, whose labels it does not see');
  addModelFlags(command, 'train').addOption(
    new Option('--temperature <t>', 'of the softmax that class weights are averaged from')
      .argParser(positive)
      .default(defaultOptions.temperature),
  );
  command.action(async (flags: WeightsFlags) => {
    const terminal = new Terminal(context.stdout, context.stderr, flags.json === true);
    const { model, images, classes, title, precision } = await prepareModelTask(context, flags);
    const { bold, dim } = terminal.colors;
    const { data, split, temperature } = flags;
    const ask = async (gpu: Gpu): Promise<void> => {
      terminal.line(bold(`${model.file} on ${title}`));
      terminal.line(dim(`${describeDevice(gpu.info)}; temperature ${temperature}`));
      const classWeight = await context.classWeight(gpu, model, images, temperature);
      const diagnosis = diagnoseClassWeight(classWeight);
      for (const row of weightBars(classWeight, classes, terminal)) terminal.line(row);
      terminal.line(
        `${diagnosis.effectiveClasses.toFixed(1)} effective classes, entropy ${diagnosis.entropy.toFixed(2)}`,
      );
      if (diagnosis.collapsed)
        terminal.warning('the class weights have collapsed to fewer than two classes; try a higher --temperature');
      terminal.emit({
        event: 'result',
        model: model.file,
        data,
        split,
        classes,
        count: images.count,
        temperature,
        classWeight,
        ...diagnosis,
        device: deviceOf(gpu),
      });
    };
    await withGpu(context, ask, precision);
  });
}
