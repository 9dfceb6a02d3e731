// `padagrad analyse`: what a trained model makes of source and target, as figures (.svg), as JSON and in the run's report.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { type HostData, nounOf } from '../../data/host.ts';
import { asTrained } from '../../train/modelFile.ts';
import { DATA_NAMES } from '../data.ts';
import { asUsage, EXIT, UsageError } from '../errors.ts';
import { addCommonFlags, addDataFlags, type TrainFlags, trainingFlag } from '../flags.ts';
import { whole } from '../flagValues.ts';
import { withGpu } from '../gpu.ts';
import { checkFinite, checkShape, openModel, readModel } from '../model.ts';
import { analyseModel } from '../run/analysis.ts';
import { CONFIG, changedBareSides, readConfig, startedFlags } from '../run/config.ts';
import { checkTestSet } from '../run/dataChecks.ts';
import { makeFolder, writeAtomically } from '../run/files.ts';
import { REPORT, readRows } from '../run/folder.ts';
import { type Analysis, curvesOf, htmlReport, reportDataOf, reportImages } from '../run/htmlReport.ts';
import { type Job, prepareJob } from '../run/job.ts';
import { confusionTable } from '../show/bars.ts';
import { counted, percent } from '../show/format.ts';
import { readingNotes } from '../show/report.ts';
import { featureFigures, linesSvg } from '../show/svg.ts';
import type { Act, Terminal } from '../show/terminal.ts';

interface Flags extends Partial<TrainFlags> {
  model: string;
  examples: number;
  seed: number;
}

// The A-distance needs this many examples of each domain. If chance changes it by more than CHANCE, the command warns.
const FEWEST = 5;
const CHANCE = 0.25;

const EXAMPLES = `
Examples:
  padagrad analyse --model runs/shop
  padagrad analyse --model model.safetensors --source mnist --target idx:usps-train --target-test idx:usps-test --out analysis`;

/** `padagrad analyse`: compares the features of source and target, and shows the mistakes of a model. */
export function addAnalyse(root: Command, act: Act): void {
  const command = root
    .command('analyse')
    .description(
      'analyse a trained model: A-distance and a map (UMAP) of the features of both domains, accuracies, mistakes',
    )
    .addHelpText('after', EXAMPLES)
    .optionsGroup('Required:')
    .requiredOption('-m, --model <path>', 'run folder or .safetensors file')
    .optionsGroup('Data:')
    .option('-s, --source <data>', `source examples (default: those of the run): ${DATA_NAMES}`)
    .option('-t, --target <data>', 'target examples (default: those of the run)')
    .option('--source-classes <list>', 'source classes to keep (default: those of the run, or all)')
    .option('--target-classes <list>', 'target classes to keep (default: those of the run, or all)')
    .option('--source-test <data>', 'labelled source examples for accuracies (default: as in train)')
    .option('--target-test <data>', 'labelled target examples for accuracies and mistakes (default: as in train)')
    .option('--examples <n>', 'compare the features of at most n examples per domain', whole(FEWEST), 500);
  addDataFlags(command)
    .optionsGroup('Running:')
    .addOption(trainingFlag('seed').default(0))
    .addOption(trainingFlag('float32MatmulPrecision'))
    .option('-o, --out <dir>', 'folder for analysis.json, figures (.svg) and report.html (default: the run folder)');
  addCommonFlags(command).action(act(analyse));
}

async function analyse(terminal: Terminal, flags: Flags): Promise<number> {
  const { model: path, examples, seed } = flags;
  const saved = await asUsage('--model', () => readModel(path));
  checkFinite(saved);
  const run = existsSync(join(path, CONFIG)) ? path : undefined;
  const out = flags.out ?? run;
  if (out === undefined) throw new UsageError(`--model ${path} is no run folder; pass --out for the results`);
  const job = await prepareData(terminal, run, flags);
  const { task, data, sourceTest, targetTest } = job;
  const { record, numClasses, file } = saved;
  if (task.numClasses > numClasses)
    throw new UsageError(`--source ${task.source} has ${task.numClasses} classes, but ${file} has ${numClasses}`);
  // Names are numbered in their order, so another list has other numbers.
  const [own, given] = [record?.classNames, job.record.classNames].map((list) => list?.join(', '));
  if (own !== given)
    throw new UsageError(
      `--source ${task.source} has the classes ${given ?? '(no names)'}, but those of ${file} are ${own ?? '(no names)'}; pass a source with the same`,
    );
  if (record) checkShape(`--source ${task.source}`, data.source, record.shape);
  if (!targetTest && data.target.labels) checkTestSet(`--target ${task.target}`, data.target, numClasses, 'the model');
  for (const side of ['source', 'target'] as const)
    if (data[side].count < FEWEST)
      throw new UsageError(
        `--${side} ${task[side]}: ${counted(data[side].count, nounOf(data[side]).slice(0, -1))} cannot be compared; pass ${FEWEST} or more`,
      );
  makeFolder(out);

  const findings = await withGpu(job.options[0].float32MatmulPrecision, async (gpu) => {
    const source = asTrained(data.source, record);
    const target = asTrained(data.target, record);
    const model = openModel(gpu, saved, source);
    const sets = {
      ...{ source, target, numClasses },
      sourceTest: sourceTest ? asTrained(sourceTest, record) : source,
      targetTest: targetTest ? asTrained(targetTest, record) : target,
    };
    const onEpoch = (done: number, total: number) =>
      terminal.isLive && terminal.live(`arranging the features: ${done} of ${total}`);
    return analyseModel(gpu, model, sets, { examples, seed, onEpoch }).finally(() => model.dispose());
  });
  terminal.clear();
  const { mistakes } = findings;
  const analysis = {
    ...findings,
    mistakes: mistakes && reportImages(mistakes.images, mistakes.predictions, 'the most confident mistakes'),
  };

  const names = Array.from({ length: numClasses }, (_, c) => record?.classNames?.[c] ?? String(c));
  const files = write(out, run, { analysis, names, job });
  show(terminal, job, analysis, names);
  for (const name of files) terminal.line(`saved ${join(out, name)}`);
  const { aDistance, source, target } = analysis;
  terminal.emit({ event: 'result', model: file, aDistance, source, target, out, files });
  return EXIT.ok;
}

/** Loads the data of the flags, completed by those of the run. */
async function prepareData(terminal: Terminal, run: string | undefined, flags: Flags): Promise<Job> {
  const config = run === undefined ? undefined : await readConfig(run);
  const began: Partial<TrainFlags> = config ? startedFlags(config) : {};
  // Another source or target has classes and test sets of its own.
  for (const side of ['source', 'target'] as const)
    if (flags[side] !== undefined && flags[side] !== began[side])
      for (const name of ['Classes', 'Limit', 'Test'] as const) delete began[`${side}${name}`];
  const all = { ...began, ...flags };
  for (const side of ['source', 'target'] as const)
    if (all[side] === undefined)
      throw new UsageError(`--${side} is missing; only a run folder says what a model was trained on`);
  // The model's file has the weights, and what its examples are standardised with. No run is saved.
  const { weights: _, out: __, ...needed } = all;
  const options = { ...needed, standardize: 'none' } as TrainFlags;
  const job = await prepareJob(options, { reading: readingNotes(terminal), trains: false });
  for (const side of config ? changedBareSides(job.data, config) : [])
    if (flags[side] === undefined && flags[`${side}Classes`] === undefined)
      terminal.warning(
        `the ${side} ${job.task[side]} has changed since ${run} was trained; it is analysed as it is now`,
      );
  return job;
}

/** Writes the results as JSON and figures, and adds them to the run's report. Returns the names of the files. */
function write(
  out: string,
  run: string | undefined,
  { analysis, names, job }: { analysis: Analysis; names: readonly string[]; job: Job },
): string[] {
  const { classWeights } = curvesOf(run === undefined ? [] : readRows(run));
  const report =
    run !== undefined && existsSync(join(run, REPORT))
      ? reportDataOf(readFileSync(join(run, REPORT), 'utf8'))
      : undefined;
  const { source, target } = job.task;
  const files: Record<string, string> = {
    'analysis.json': `${JSON.stringify({ task: { source, target }, classNames: names, ...analysis, classWeights })}\n`,
    ...featureFigures(analysis, names),
    ...(classWeights.iteration.length > 1 && {
      'class-weights.svg': linesSvg(
        'Class weights',
        classWeights.iteration,
        names.map((name, c) => ({ name, y: classWeights.weights.map((row) => row[c]!) })),
      ),
    }),
    ...(report && { [REPORT]: htmlReport({ ...report, analysis }) }),
  };
  for (const [name, text] of Object.entries(files)) writeAtomically(join(out, name), text);
  return Object.keys(files);
}

/** Writes what the analysis has found. */
function show(
  terminal: Terminal,
  { data, sourceTest, targetTest }: Job,
  analysis: Analysis,
  names: readonly string[],
): void {
  const { aDistance, source, target, points } = analysis;
  const { bold } = terminal.colors;
  terminal.line(
    bold(`A-distance ${aDistance.toFixed(2)} (0: the features of both domains look alike, 2: they are apart)`),
  );
  // A fifth of the examples is tested.
  const tested = Math.ceil(points.x.length / 5);
  const chance = 2 / Math.sqrt(tested);
  if (chance > CHANCE)
    terminal.warning(
      `the A-distance was tested on ${counted(tested, 'example')}, so chance changes it by about ${chance.toFixed(1)}; compare more examples`,
    );
  const setOf = (test: HostData | undefined) => `${test ? 'test' : 'training'} ${nounOf(data.target).slice(0, -1)}`;
  if (source)
    terminal.line(`source accuracy ${percent(source.accuracy)} on ${counted(source.count, setOf(sourceTest))}`);
  if (!target) {
    terminal.line('target accuracy unknown (pass --target-test to measure it)');
    return;
  }
  terminal.line(`target accuracy ${percent(target.accuracy)} on ${counted(target.count, setOf(targetTest))}`);
  terminal.line();
  terminal.line(confusionTable(target, terminal.colors, names));
  terminal.line();
}
