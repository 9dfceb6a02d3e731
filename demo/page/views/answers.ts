import { element, find, setText } from '../../shared/dom.ts';
import { CLASS_NAMES } from '../settings.ts';
import type { RunState, View } from '../state.ts';
import { DRAWING } from '../words.ts';
import { type Column, columns } from './columns.ts';

/** The prediction of each network for the drawing, with the probability of every digit. */
export function answersView(): View {
  const make = ({ method }: RunState): Column => {
    const prediction = element('p', { class: 'said' });
    const bars = CLASS_NAMES.digits.map((digit) => {
      const value = element('span', { class: 'value' });
      return {
        value,
        bar: element('li', {}, element('b', {}, digit), element('span', { class: 'bar' }), value),
      };
    });
    const list = element(
      'ol',
      { class: 'probabilities', 'aria-label': DRAWING.probabilities(method) },
      ...bars.map(({ bar }) => bar),
    );
    const draw: View = (state) => {
      const answer = state.run(method)?.answer;
      const guess = answer ? answer.indexOf(Math.max(...answer)) : -1;
      const none = state.mode === 'failed' ? DRAWING.noNetwork : DRAWING.none;
      setText(prediction, answer ? DRAWING.sees(guess) : none);
      for (const [digit, { bar, value }] of bars.entries()) {
        const probability = answer?.[digit] ?? 0;
        bar.style.setProperty('--share', probability.toFixed(3));
        bar.classList.toggle('guess', digit === guess);
        bar.classList.toggle('absent', !state.held.includes(digit));
        setText(value, answer ? `${Math.round(100 * probability)} %` : '');
      }
    };
    return { nodes: [prediction, list], draw };
  };
  return columns(find('answers'), make, (state) => state.awaits('answers'));
}
