import { element, find, setText } from '../dom.ts';
import { IDEAS, percent, ranges, strayShare } from '../words.ts';
import { columns } from './columns.ts';
import type { View } from './view.ts';

/** The score of each training, in large figures. */
export function scoresView(): View {
  return columns(find('scores'), ({ method }) => {
    const accuracy = element('strong', { class: 'figure' }, '–');
    const stray = element('p', { class: 'note' });
    const draw: View = (story) => {
      const look = story.track(method)?.look;
      const { digits } = story.settings;
      setText(accuracy, look ? percent(look.evaluation.accuracy) : '–');
      setText(stray, strayText(look && strayShare(look.evaluation, digits), digits));
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
  });
}

function strayText(share: number | undefined, digits: readonly number[]): string {
  if (digits.length === 10) return 'The handwriting holds every digit: there is nothing to go astray to.';
  const what = `taken for digits other than ${ranges(digits)}`;
  return share === undefined ? `None ${what} yet.` : `${percent(share)} ${what}.`;
}
