import { digits } from '../../../bench/harness/report.ts';
import { count } from '../../page/words.ts';
import { element, find, setText } from '../../shared/dom.ts';
import type { Check, Fault, Timing } from '../protocol.ts';
import type { Outcome, View } from '../state.ts';

/** What came of the latest run: a verdict, and what it is founded on. */
export function resultView(goTo: (fault: Fault) => void): View {
  const [verdict, faults, checks, times] = ['verdict', 'faults', 'checks', 'times'].map((id) => find(id));
  const [section, ideas] = [find('result'), find('ideas')];
  let shown: Outcome | undefined;
  return ({ outcome, work }) => {
    const [kind, text] = verdictOf(outcome, work === 'run');
    setText(verdict!, outcome?.stale ? `${text} That was before the latest change.` : text);
    section.classList.toggle('stale', outcome?.stale === true);
    verdict!.dataset.kind = kind;
    ideas.hidden = outcome !== undefined || work === 'run';
    if (outcome === shown) return;
    shown = outcome;
    faults!.replaceChildren(...(outcome?.faults ?? []).map((fault) => faultOf(fault, goTo)));
    checks!.replaceChildren(...(outcome?.checks ?? []).flatMap(checkOf));
    times!.replaceChildren(...timesOf(outcome?.timings ?? []));
  };
}

function verdictOf(outcome: Outcome | undefined, running: boolean): [kind: string, text: string] {
  if (!outcome) return ['', running ? 'Running.' : 'Not run yet.'];
  const { faults, checks, timings, edited, problem } = outcome;
  if (problem) return ['wrong', problem];
  if (faults.length > 0)
    return ['wrong', `It does not compile: ${faults.length === 1 ? 'an error' : `${faults.length} errors`}.`];
  const wrong = checks.find((one) => one.wrong > 0);
  if (wrong)
    return [
      'wrong',
      `Wrong: ${wrong.result}${showPlace(firstWrong(wrong).place)} is the first of ${count(wrong.wrong)} wrong elements of ${count(wrong.count)}. What is wrong is not timed.`,
    ];
  if (checks.length === 0) return ['', 'Running.'];
  const right = `Right: all ${count(checks.reduce((sum, one) => sum + one.count, 0))} elements.`;
  return ['right', edited && timings.length > 0 ? `${right} ${comparison(timings)}` : right];
}

/** The edited kernel's time beside that of the kernel it was made of. */
function comparison(timings: readonly Timing[]): string {
  const [edited, original] = ['edited', 'original'].map((role) => timings.find((one) => one.role === role)?.row);
  if (!edited?.medianMs || !original?.medianMs) return '';
  const ratio = original.medianMs / edited.medianMs;
  if (ratio > 0.97 && ratio < 1.03) return 'As fast as before.';
  const times =
    ratio > 1 ? `${digits(ratio)} times as fast as before` : `${digits(1 / ratio)} times slower than before`;
  const apart = edited.p95Ms! < original.p5Ms! || edited.p5Ms! > original.p95Ms!;
  return apart ? `${times}.` : `${times}, but samples vary by more.`;
}

const firstWrong = ({ elements }: Check) => elements.find(({ wrong }) => wrong)!;
const showPlace = (place: readonly number[]): string => (place.length > 0 ? `[${place.join(', ')}]` : '');

function faultOf(fault: Fault, goTo: (fault: Fault) => void): HTMLElement {
  const { path, line, column, text } = fault;
  const where = line > 0 ? `${path}, line ${line}, column ${column}` : path;
  const button = element('button', { type: 'button' }, element('b', {}, where), element('span', {}, text));
  button.addEventListener('click', () => goTo(fault));
  return element('li', {}, button);
}

/** The neighbourhood of the first wrong element. */
function checkOf({ result, elements, allowed }: Check): Node[] {
  if (elements.length === 0) return [];
  const rows = elements.map(({ place, actual, expected, wrong }) =>
    element(
      'tr',
      { class: wrong ? 'wrong' : 'right' },
      element('th', { scope: 'row' }, `${result}${showPlace(place)}`),
      element('td', {}, show(actual)),
      element('td', {}, show(expected)),
      element('td', {}, wrong ? 'wrong' : 'right'),
    ),
  );
  const head = ['element', 'kernel', 'double precision', ''].map((text) => element('th', { scope: 'col' }, text));
  return [
    element('table', {}, element('thead', {}, element('tr', {}, ...head)), element('tbody', {}, ...rows)),
    element(
      'p',
      { class: 'hint' },
      `Allowed is an error of ${allowed.toPrecision(2)}: 32 bits round, and add up in another order.`,
    ),
  ];
}

const show = (value: number): string => (Number.isFinite(value) ? String(Number(value.toPrecision(7))) : String(value));

/** A bar for each kernel: how much of the measured peak it reaches. */
function timesOf(timings: readonly Timing[]): Node[] {
  if (timings.length === 0) return [];
  const most = Math.max(...timings.map(({ row }) => row.percentOfPeak ?? 0));
  // Few kernels come near the peak; some seem to pass it, out of caches.
  const full = most > 50 ? Math.max(100, most) : most > 0 ? 1.25 * most : 1;
  const bars = timings.map(({ name, role, row }) => {
    const { medianMs, percentOfPeak, gflops, gbps } = row;
    const speed = gflops !== null ? `${digits(gflops)} GFLOP/s` : gbps !== null ? `${digits(gbps)} GB/s` : '';
    const bar = element('span', { class: 'bar' });
    bar.style.width = `${(100 * (percentOfPeak ?? 0)) / full}%`;
    const figures = medianMs === null ? `wrong here: ${row.problem}` : `${digits(medianMs)} ms · ${speed}`;
    const part = percentOfPeak === null ? '' : `${digits(percentOfPeak)} %`;
    return element(
      'li',
      { 'data-role': role },
      element('span', { class: 'name' }, role === 'edited' ? `${name}, edited` : name),
      element('span', { class: 'figures' }, figures),
      element('span', { class: 'track' }, bar, element('b', {}, part)),
    );
  });
  const counted = timings.some(({ row }) => row.gflops !== null) ? 'multiply-adds' : 'copy bandwidth';
  return [
    element('ol', { class: 'times' }, ...bars),
    element('p', { class: 'hint' }, `Medians; % of the ${counted} that was measured on this adapter.`),
  ];
}
