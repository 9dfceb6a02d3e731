import type { Command } from 'commander';
import { nounOf } from '../../data/host.ts';
import { limit } from '../../data/subset.ts';
import { Evaluator } from '../../train/evaluate.ts';
import { EXIT } from '../errors.ts';
import { describeDevice, deviceOf, withGpu } from '../gpu.ts';
import { addModelFlags, BATCH, classWeightOf, type ModelFlags, openModel, prepareModelTask } from '../model.ts';
import { checkTestSet } from '../run/dataChecks.ts';
import { confusionTable } from '../show/bars.ts';
import { counted, percent } from '../show/format.ts';
import { readingNotes } from '../show/report.ts';
import type { Act, Terminal } from '../show/terminal.ts';

/** `padagrad eval`: evaluates a trained model on labelled examples. */
export function addEval(root: Command, act: Act): void {
  const command = root
    .command('eval')
    .description('evaluate a trained model: accuracy overall and per class, confusion matrix');
  addModelFlags(command, 'test').action(act(evaluate));
}

async function evaluate(terminal: Terminal, flags: ModelFlags): Promise<number> {
  const { data, split } = flags;
  const {
    model: saved,
    examples,
    classes,
    title,
    precision,
  } = await prepareModelTask(flags, readingNotes(terminal), {
    labelled: true,
  });
  const { file, numClasses } = saved;
  checkTestSet(`--data ${data}`, examples, numClasses, 'the model');
  await withGpu(precision, async (gpu) => {
    const { bold, dim } = terminal.colors;
    terminal.line(bold(`${file} on ${title}`));
    terminal.line(dim(describeDevice(gpu.info)));
    // Finite weights that are much too large give logits that are not finite, which the first batch shows.
    await classWeightOf(gpu, saved, { examples: limit(examples, BATCH), temperature: 1 });
    const evaluation = await new Evaluator(gpu, {
      data: examples,
      model: openModel(gpu, saved, examples),
      numClasses,
    }).run();
    terminal.line(
      bold(`accuracy ${percent(evaluation.accuracy)} on ${counted(evaluation.count, nounOf(examples).slice(0, -1))}`),
    );
    terminal.line();
    terminal.line(confusionTable(evaluation, terminal.colors, saved.record?.classNames));
    const device = deviceOf(gpu);
    terminal.emit({ event: 'result', model: file, data, split, classes, numClasses, ...evaluation, device });
  });
  return EXIT.ok;
}
