import { element, find, setText } from '../../shared/dom.ts';
import { DIGITS } from '../settings.ts';
import type { Track } from '../state.ts';
import { NAMES } from '../words.ts';
import { type Column, columns } from './columns.ts';
import type { View } from './view.ts';

/** The class weights of each training as bars, digits that the target lacks in another dress. */
export function weightsView(): View {
  const host = find('weights');
  const make = ({ method }: Track): Column => {
    const bars = DIGITS.map((digit) => {
      const value = element('span', { class: 'value' });
      const bar = element('li', {}, value, element('span', { class: 'bar' }), element('b', {}, String(digit)));
      return { bar, value };
    });
    const list = element('ol', { class: 'bars' }, ...bars.map(({ bar }) => bar));
    const note = element('p', { class: 'note' });
    const draw: View = (story) => {
      const { settings } = story;
      const track = story.track(method);
      const weights = track?.weight?.classWeight;
      for (const [digit, { bar, value }] of bars.entries()) {
        const weight = weights?.[digit] ?? 1;
        bar.style.setProperty('--share', weight.toFixed(3));
        bar.classList.toggle('absent', !settings.digits.includes(digit));
        setText(value, short(weight));
      }
      list.setAttribute('aria-label', `weights of the printed digits 0 to 9 under ${NAMES[method]}`);
      setText(note, noteOf(method, track?.weighted !== undefined, settings.updateSteps));
    };
    return { nodes: [list, note], draw };
  };
  return columns(host, make, (story, { method }) => method === 'pada' && story.awaits('ready', 'progress'));
}

function noteOf(method: string, weighted: boolean, every: number): string {
  if (method !== 'pada') return 'All ten count alike, for good.';
  return weighted ? `Updated every ${every} iterations.` : `Taken for the first time after ${every} iterations.`;
}

/** `1`, `.29`, `0`: ten of them stand side by side. */
const short = (weight: number): string => (weight >= 0.995 ? '1' : weight < 0.005 ? '0' : weight.toFixed(2).slice(1));
