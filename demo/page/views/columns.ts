import { element, setBusy } from '../../shared/dom.ts';
import type { Story, Track } from '../state.ts';
import { NAMES } from '../words.ts';
import type { View } from './view.ts';

/** What one training shows in its column. */
export interface Column {
  nodes: Node[];
  draw: View;
}

/** A column per training, side by side. `waits` says whether what a column shows is about to be replaced. */
export function columns(
  host: HTMLElement,
  make: (track: Track) => Column,
  waits: (story: Story, track: Track) => boolean = () => false,
): View {
  let shown = '';
  let draws: View[] = [];
  return (story) => {
    const wanted = story.tracks.map(({ method }) => method).join();
    if (wanted !== shown) {
      shown = wanted;
      const made = story.tracks.map(make);
      draws = made.map(({ draw }) => draw);
      host.replaceChildren(
        ...made.map(({ nodes }, i) => {
          const { method } = story.tracks[i]!;
          return element(
            'div',
            { class: 'column', 'data-method': method },
            element('h3', { class: 'method' }, NAMES[method]),
            ...nodes,
          );
        }),
      );
    }
    for (const draw of draws) draw(story);
    for (const [i, track] of story.tracks.entries()) setBusy(host.children[i]!, waits(story, track));
  };
}
