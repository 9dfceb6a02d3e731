import type { Command } from 'commander';
import { limit } from '../../data/subset.ts';
import { Evaluator } from '../../train/evaluate.ts';
import { EXIT } from '../errors.ts';
import { describeDevice, deviceOf, withGpu } from '../gpu.ts';
import { addModelFlags, BATCH, classWeightOf, type ModelFlags, openModel, prepareModelTask } from '../model.ts';
import { checkTestSet } from '../run/job.ts';
import { confusionTable } from '../show/bars.ts';
import { counted, percent } from '../show/format.ts';
import type { Act, Terminal } from '../show/terminal.ts';

/** `padagrad eval`: evaluates a trained model on labelled images. */
export function addEval(root: Command, act: Act): void {
  const command = root
    .command('eval')
    .description('evaluate a trained model: accuracy overall and per class, confusion matrix');
  addModelFlags(command, 'test').action(act(evaluate));
}

async function evaluate(terminal: Terminal, flags: ModelFlags): Promise<number> {
  const { data, split } = flags;
  const { model: saved, images, classes, title, precision } = await prepareModelTask(flags);
  const { file, numClasses } = saved;
  checkTestSet(`--data ${data}`, images, numClasses, 'the model');
  await withGpu(precision, async (gpu) => {
    const { bold, dim } = terminal.colors;
    terminal.line(bold(`${file} on ${title}`));
    terminal.line(dim(describeDevice(gpu.info)));
    // Finite weights that are much too large give logits that are not finite, which the first batch shows.
    await classWeightOf(gpu, saved, { images: limit(images, BATCH), temperature: 1 });
    const evaluation = await new Evaluator(gpu, {
      data: images,
      model: openModel(gpu, saved, images),
      numClasses,
    }).run();
    terminal.line(bold(`accuracy ${percent(evaluation.accuracy)} on ${counted(evaluation.count, 'image')}`));
    terminal.line();
    terminal.line(confusionTable(evaluation, terminal.colors));
    const device = deviceOf(gpu);
    terminal.emit({ event: 'result', model: file, data, split, classes, numClasses, ...evaluation, device });
  });
  return EXIT.ok;
}
