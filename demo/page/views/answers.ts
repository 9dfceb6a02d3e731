import { element, find, setText } from '../../shared/dom.ts';
import { DIGITS } from '../settings.ts';
import type { Track } from '../state.ts';
import { NAMES } from '../words.ts';
import { type Column, columns } from './columns.ts';
import type { View } from './view.ts';

/** What each network takes the drawing for: the probability of every digit. */
export function answersView(): View {
  const make = ({ method }: Track): Column => {
    const said = element('p', { class: 'said' });
    const bars = DIGITS.map((digit) => {
      const value = element('span', { class: 'value' });
      return {
        value,
        bar: element('li', {}, element('b', {}, String(digit)), element('span', { class: 'bar' }), value),
      };
    });
    const list = element(
      'ol',
      { class: 'probabilities', 'aria-label': `probabilities of the digits by ${NAMES[method]}` },
      ...bars.map(({ bar }) => bar),
    );
    const draw: View = (story) => {
      const answer = story.track(method)?.answer;
      const guess = answer ? answer.indexOf(Math.max(...answer)) : -1;
      const none = story.mode === 'failed' ? 'is not there to ask' : 'sees nothing yet';
      setText(said, answer ? `sees a ${guess}` : none);
      for (const [digit, { bar, value }] of bars.entries()) {
        const probability = answer?.[digit] ?? 0;
        bar.style.setProperty('--share', probability.toFixed(3));
        bar.classList.toggle('guess', digit === guess);
        bar.classList.toggle('absent', !story.settings.digits.includes(digit));
        setText(value, answer ? `${Math.round(100 * probability)} %` : '');
      }
    };
    return { nodes: [said, list], draw };
  };
  return columns(find('answers'), make, (story) => story.awaits('answers'));
}
