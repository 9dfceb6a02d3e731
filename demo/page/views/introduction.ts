import { find, setText } from '../../shared/dom.ts';
import { type Samples, STRIP } from '../protocol.ts';
import type { View } from '../state.ts';
import { INTRODUCTION } from '../words.ts';
import { sample } from './picture.ts';

/** The introduction: its sentences about the task and its classes, and samples of both sides. */
export function introductionView(): View {
  const all = (name: string) => [...document.querySelectorAll<HTMLElement>(`[data-word="${name}"]`)];
  const words = (['source', 'target', 'kind', 'kinds'] as const).map((name) => [name, all(name)] as const);
  const [held, effects] = [all('held'), all('dann-effect')];
  const [source, target] = [find('source-samples'), find('target-samples')];
  let shown: Samples | undefined;
  return (state) => {
    const { samples, classNames } = state;
    const { task, classes } = state.settings;
    document.body.dataset.task = task;
    document.body.dataset.methods = state.settings.methods.join(' ');
    document.body.dataset.labels = state.isLabelled ? 'yes' : 'no';
    for (const [name, nodes] of words) for (const node of nodes) setText(node, state.words[name]);
    if (task !== 'own') {
      const absent = [...classNames.keys()].filter((c) => !classes.includes(c));
      for (const node of held) setText(node, INTRODUCTION.held(task, classes, absent.length === 0));
      for (const node of effects) setText(node, INTRODUCTION.dann(task, classes, absent));
    }
    // The samples of the previous settings stay until there are others.
    if (!samples || samples === shown) return;
    shown = samples;
    for (const [side, host] of [
      ['source', source],
      ['target', target],
    ] as const)
      host.replaceChildren(...Array.from({ length: STRIP }, (_, i) => sample(samples, side, i)));
  };
}
