import { CRITERIA, type Criterion } from '../../train/select.ts';
import type { RunSelection } from '../run/selection.ts';
import { columns } from './bars.ts';
import { percent } from './format.ts';
import type { Terminal } from './terminal.ts';

const TITLES: Record<Criterion, string> = {
  'agreement-entropy': 'agreement, then entropy',
  agreement: 'agreement',
  entropy: 'entropy',
  'information-maximisation': 'information maximisation',
  snd: 'SND',
  dev: 'DEV',
  'source-accuracy': 'source accuracy',
};

const fixed = (value: number | null, digits = 3): string => (value === null ? '-' : value.toFixed(digits));

/** Writes the scores of all runs, the pick of each criterion, and what it loses if the target has labels. */
export function showSelection(
  terminal: Terminal,
  { by, selected, runs, picks, best, measuredOn, onSourceTraining }: RunSelection,
): void {
  const { bold } = terminal.colors;
  const rows = runs.map((run) => [
    run.run,
    fixed(run.agreement),
    fixed(run.entropy),
    fixed(run.informationMaximisation),
    fixed(run.snd),
    fixed(run.dev),
    percent(run.sourceAccuracy),
    ...(best ? [percent(run.targetAccuracy)] : []),
  ]);
  const head = ['run', 'agreement', 'entropy', 'inf. max.', 'SND', 'DEV', 'source'];
  terminal.line(columns([...head, ...(best ? ['target'] : [])], rows));
  terminal.line();
  const picked = CRITERIA.map((name) => {
    const pick = picks[name];
    const figures = best ? [percent(pick?.targetAccuracy), fixed(pick?.loses ?? null, 1)] : [];
    return [`${TITLES[name]}${name === by ? ' *' : ''}`, pick?.run ?? '-', ...figures];
  });
  const last = best && ['best by target labels', best.run, percent(best.targetAccuracy), '0.0'];
  terminal.line(
    columns(['criterion', 'picks', ...(best ? ['target', 'loses'] : [])], [...picked, ...(last ? [last] : [])]),
  );
  terminal.line();
  if (onSourceTraining)
    terminal.line('source and DEV are of examples that the models were trained on, as there is no source test set');
  if (best) terminal.line(`target: accuracy on the ${measuredOn}; no criterion sees it`);
  if (runs.length === 2)
    terminal.note('two runs agree with each other equally, so entropy decides; compare three or more');
  terminal.line(bold(`selected by ${TITLES[by]}: ${selected}`));
}
