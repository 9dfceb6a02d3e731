import { element, find, setText } from '../../shared/dom.ts';
import type { Track } from '../state.ts';
import { IDEAS, percent, ranges, strayShare } from '../words.ts';
import { type Column, columns } from './columns.ts';
import type { View } from './view.ts';

/** The score of each training, in large figures. */
export function scoresView(): View {
  const make = ({ method }: Track): Column => {
    const accuracy = element('strong', { class: 'figure' }, '–');
    const stray = element('p', { class: 'note' });
    const draw: View = (story) => {
      const track = story.track(method);
      const look = track?.look;
      const { digits } = story.settings;
      setText(accuracy, look ? percent(look.evaluation.accuracy) : '–');
      const share = look && strayShare(look.evaluation, digits);
      setText(stray, strayText(share, digits, track !== undefined && story.awaitsLook(track)));
    };
    const idea = element('p', { class: 'idea' }, IDEAS[method]);
    const score = element(
      'p',
      { class: 'score' },
      accuracy,
      element('span', {}, 'of the handwriting read rightly '),
      element('span', { class: 'badge' }, 'oracle'),
    );
    return { nodes: [idea, score, stray], draw };
  };
  return columns(find('scores'), make, (story, track) => story.awaitsLook(track));
}

function strayText(share: number | undefined, digits: readonly number[], waits: boolean): string {
  if (share === undefined) return waits ? 'Waiting for the test images.' : 'Not tested yet.';
  if (digits.length === 10) return 'The handwriting holds every digit: there is nothing to go astray to.';
  return `${percent(share)} taken for digits other than ${ranges(digits)}.`;
}
