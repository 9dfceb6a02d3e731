import { element, setText } from '../../shared/dom.ts';
import type { Mistake, RunAnalysis } from '../protocol.ts';
import type { PageState, RunState, View } from '../state.ts';
import { ANALYSIS, percent } from '../words.ts';
import { type Column, columns } from './columns.ts';
import { scatters } from './features.ts';
import { picture } from './picture.ts';

/** The analysis of each run: a map of its features, its accuracy per class, and the mistakes that it is most certain of. */
export function analysisView(host: HTMLElement): View {
  const scatter = scatters();
  const make = ({ method }: RunState): Column => {
    const note = element('p', { class: 'note' });
    const maps = (['byClass', 'byPrediction'] as const).map((by) => {
      const title = ANALYSIS[by];
      const { canvas, show } = scatter(`${method} ${by}`, ANALYSIS.points(method, title));
      return { show, node: element('div', {}, element('h4', {}, title), canvas) };
    });
    const pictures = element('div', { class: 'maps' }, ...maps.map(({ node }) => node));
    const rest = element('div', {});
    let drawn: RunAnalysis | undefined;
    const draw: View = (state) => {
      const analysis = state.run(method)?.analysis;
      if (analysis === drawn) return;
      drawn = analysis;
      setText(note, analysis ? ANALYSIS.aDistance(analysis.aDistance, analysis.iteration) : '');
      const [byClass, byPrediction] = maps as [(typeof maps)[0], (typeof maps)[0]];
      if (analysis) {
        const { points, sources, labels, predictions } = analysis;
        const of = { points, sources, task: state.settings.task, classNames: state.classNames };
        byClass.node.hidden = !analysis.target;
        byClass.show({ ...of, labels });
        byPrediction.show({ ...of, labels: predictions });
      }
      pictures.hidden = !analysis;
      rest.replaceChildren(...(analysis ? [accuracies(state, method, analysis), ...mistakes(state, analysis)] : []));
    };
    return { nodes: [note, pictures, rest], draw };
  };
  return columns(host, make, (state) => state.awaits('analyses'));
}

function accuracies(
  { classNames, words }: PageState,
  method: RunState['method'],
  { source, target }: RunAnalysis,
): Node {
  const sides = [...(target ? [[ANALYSIS.target, target] as const] : []), [ANALYSIS.source, source!] as const];
  const row = (name: string, figures: readonly (number | undefined)[]) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, name),
      ...figures.map((figure) => element('td', {}, percent(figure ?? Number.NaN))),
    );
  return element(
    'table',
    { class: 'accuracies' },
    element('caption', { class: 'hidden' }, ANALYSIS.accuracies(method)),
    element(
      'thead',
      {},
      element(
        'tr',
        {},
        ...[ANALYSIS.class(words), ...sides.map(([side]) => side)].map((text) => element('th', { scope: 'col' }, text)),
      ),
    ),
    element(
      'tbody',
      {},
      ...classNames.map((name, c) =>
        row(
          name,
          sides.map(([, { perClass }]) => perClass[c]),
        ),
      ),
      row(
        ANALYSIS.all,
        sides.map(([, { accuracy }]) => accuracy),
      ),
    ),
  );
}

function mistakes(state: PageState, { target, mistakes: all }: RunAnalysis): Node[] {
  if (!target) return [];
  const { shape, task } = state.samples!;
  const { classNames } = state;
  const tile = ({ pixels, name, truth, prediction, probability }: Mistake) => {
    const text = ANALYSIS.mistake(classNames[truth]!, classNames[prediction]!);
    return element(
      'li',
      name ? { title: name } : {},
      picture(pixels, shape, { label: name ?? text, ink: task === 'digits' }),
      element('b', {}, text),
      element('span', { class: 'hint' }, percent(100 * probability)),
    );
  };
  return [element('h4', {}, ANALYSIS.mistakes(all.length)), element('ol', { class: 'tiles' }, ...all.map(tile))];
}
