import type { Command } from 'commander';
import type { Gpu } from '../../gpu/gpu.ts';
import { type Context, withGpu } from '../context.ts';
import { describeDevice, deviceOf } from '../device.ts';
import { addModelFlags, type ModelFlags, prepareModelTask } from '../modelTask.ts';
import { checkTestSet } from '../run/checks.ts';
import { confusionTable } from '../show/bars.ts';
import { counted, percent } from '../show/format.ts';
import { Terminal } from '../show/terminal.ts';

/** `padagrad eval`: how a trained model does on labelled images. */
export function addEval(root: Command, context: Context): void {
  const command = root
    .command('eval')
    .description('accuracy of a trained model on labelled images, by class, with the confusion matrix');
  addModelFlags(command, 'test').action(async (flags: ModelFlags) => {
    const terminal = new Terminal(context.stdout, context.stderr, flags.json === true);
    const { model, images, classes, title, precision } = await prepareModelTask(context, flags);
    checkTestSet({ flag: '--data', name: flags.data, split: flags.split }, images, model.numClasses, 'the model');
    const { bold, dim } = terminal.colors;
    const ask = async (gpu: Gpu): Promise<void> => {
      terminal.line(bold(`${model.file} on ${title}`));
      terminal.line(dim(describeDevice(gpu.info)));
      const evaluation = await context.evaluate(gpu, model, images);
      terminal.line(bold(`accuracy ${percent(evaluation.accuracy)} on ${counted(evaluation.count, 'image')}`));
      terminal.line();
      terminal.line(confusionTable(evaluation, terminal.colors));
      const { file, numClasses } = model;
      const { data, split } = flags;
      terminal.emit({
        event: 'result',
        model: file,
        data,
        split,
        classes,
        numClasses,
        ...evaluation,
        device: deviceOf(gpu),
      });
    };
    await withGpu(context, ask, precision);
  });
}
