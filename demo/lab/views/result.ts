import { digits } from '../../../bench/harness/report.ts';
import { element, find, setText } from '../../shared/dom.ts';
import type { Check, Fault, Timing } from '../protocol.ts';
import type { Outcome, View } from '../state.ts';
import { RESULT } from '../words.ts';

/** The result of the latest run: a verdict, then the compile errors, the wrong elements or the times. */
export function resultView(goTo: (fault: Fault) => void): View {
  const [verdict, faults, checks] = [find('verdict'), find('faults'), find('checks')];
  const [times, section, ideas] = [find('times'), find('result'), find('ideas')];
  let shown: Outcome | undefined;
  return ({ outcome, work }) => {
    const [kind, text] = verdictOf(outcome, work === 'run');
    setText(verdict, outcome?.stale ? RESULT.stale(text) : text);
    section.classList.toggle('stale', outcome?.stale === true);
    verdict.dataset.kind = kind;
    ideas.hidden = outcome !== undefined || work === 'run';
    if (outcome === shown) return;
    shown = outcome;
    faults.replaceChildren(...(outcome?.faults ?? []).map((fault) => faultOf(fault, goTo)));
    checks.replaceChildren(...(outcome?.checks ?? []).flatMap(checkOf));
    times.replaceChildren(...timesOf(outcome?.timings ?? []));
  };
}

function verdictOf(outcome: Outcome | undefined, running: boolean): [kind: string, text: string] {
  if (!outcome) return ['', running ? RESULT.running : RESULT.none];
  const { faults, checks, timings, edited, problem } = outcome;
  if (problem) return ['wrong', problem];
  if (faults.length > 0) return ['wrong', RESULT.compileErrors(faults.length)];
  const wrong = checks.find((one) => one.wrong > 0);
  if (wrong) {
    const first = wrong.elements.find((one) => one.wrong)!;
    return ['wrong', RESULT.wrong(wrong.wrong, wrong.count, nameOf(wrong.result, first.place))];
  }
  if (checks.length === 0) return ['', RESULT.running];
  const correct = RESULT.correct(checks.reduce((sum, one) => sum + one.count, 0));
  return ['right', edited && timings.length > 0 ? correct + comparison(timings) : correct];
}

/** Compares the edited kernel's time with that of the kernel it was made from. */
function comparison(timings: readonly Timing[]): string {
  const [edited, original] = ['edited', 'original'].map((role) => timings.find((one) => one.role === role)?.row);
  if (!edited?.medianMs || !original?.medianMs) return '';
  const ratio = original.medianMs / edited.medianMs;
  if (ratio > 0.97 && ratio < 1.03) return RESULT.same;
  const apart = edited.p95Ms! < original.p5Ms! || edited.p5Ms! > original.p95Ms!;
  return RESULT.compared(digits(ratio > 1 ? ratio : 1 / ratio), ratio > 1, apart);
}

const nameOf = (result: string, place: readonly number[]): string =>
  place.length > 0 ? `${result}[${place.join(', ')}]` : result;

function faultOf(fault: Fault, goTo: (fault: Fault) => void): HTMLElement {
  const where = element('b', {}, RESULT.place(fault.path, fault.line, fault.column));
  const button = element('button', { type: 'button' }, where, element('span', {}, fault.text));
  button.addEventListener('click', () => goTo(fault));
  return element('li', {}, button);
}

/** A table of the elements around the first wrong one. */
function checkOf({ result, elements, allowed }: Check): Node[] {
  if (elements.length === 0) return [];
  const { correct, wrong: incorrect } = RESULT.cell;
  const rows = elements.map(({ place, actual, expected, wrong }) =>
    element(
      'tr',
      { class: wrong ? 'wrong' : 'right' },
      element('th', { scope: 'row' }, nameOf(result, place)),
      element('td', {}, show(actual)),
      element('td', {}, show(expected)),
      element('td', {}, wrong ? incorrect : correct),
    ),
  );
  const head = RESULT.columns.map((text) => element('th', { scope: 'col' }, text));
  return [
    element('table', {}, element('thead', {}, element('tr', {}, ...head)), element('tbody', {}, ...rows)),
    element('p', { class: 'hint' }, RESULT.tolerance(allowed.toPrecision(2))),
  ];
}

const show = (value: number): string => (Number.isFinite(value) ? String(Number(value.toPrecision(7))) : String(value));

/** One bar per kernel: the percentage of the measured peak that it reaches. */
function timesOf(timings: readonly Timing[]): Node[] {
  if (timings.length === 0) return [];
  const most = Math.max(...timings.map(({ row }) => row.percentOfPeak ?? 0));
  // Most kernels stay far below the peak; some exceed it because they read from caches.
  const full = most > 50 ? Math.max(100, most) : most > 0 ? 1.25 * most : 1;
  const bars = timings.map(({ name, role, row }) => {
    const { medianMs, percentOfPeak, gflops, gbps, problem } = row;
    const speed = gflops !== null ? `${digits(gflops)} GFLOP/s` : gbps !== null ? `${digits(gbps)} GB/s` : '';
    const bar = element('span', { class: 'bar' });
    bar.style.width = `${(100 * (percentOfPeak ?? 0)) / full}%`;
    const time = medianMs === null ? RESULT.wrongHere(String(problem)) : `${digits(medianMs)} ms · ${speed}`;
    const percent = percentOfPeak === null ? '' : `${digits(percentOfPeak)} %`;
    return element(
      'li',
      { 'data-role': role },
      element('span', { class: 'name' }, role === 'edited' ? RESULT.edited(name) : name),
      element('span', { class: 'figures' }, time),
      element('span', { class: 'track' }, bar, element('b', {}, percent)),
    );
  });
  const counted = timings.some(({ row }) => row.gflops !== null) ? 'flops' : 'bytes';
  return [element('ol', { class: 'times' }, ...bars), element('p', { class: 'hint' }, RESULT.medians(counted))];
}
