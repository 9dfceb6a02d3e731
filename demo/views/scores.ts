import type { Method } from '../../src/train/options.ts';
import { element, find, setText } from '../dom.ts';
import { IDEAS, NAMES, percent, ranges, strayShare } from '../words.ts';
import { columns } from './columns.ts';
import type { View } from './view.ts';

/** What can be done with one training's network. */
export interface NetworkActions {
  save(method: Method, what: 'training' | 'model'): void;
  load(method: Method, file: File): void;
}

/** The score of each training in large figures, with what can be done with its network. */
export function scoresView(actions: NetworkActions): View {
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
    const score = element('p', { class: 'score' }, accuracy, element('span', {}, ' of the handwriting read rightly'));
    return { nodes: [idea, score, stray, files(method, actions)], draw };
  });
}

function strayText(share: number | undefined, digits: readonly number[]): string {
  if (digits.length === 10) return 'The handwriting holds every digit: there is nothing to go astray to.';
  const what = `taken for digits other than ${ranges(digits)}`;
  return share === undefined ? `None ${what} yet.` : `${percent(share)} ${what}.`;
}

function files(method: Method, actions: NetworkActions): HTMLElement {
  const button = (text: string, label: string, act: () => void) => {
    const made = element('button', { type: 'button', class: 'small', 'aria-label': label }, text);
    made.addEventListener('click', act);
    return made;
  };
  const name = NAMES[method];
  const input = element('input', { type: 'file', accept: '.safetensors', hidden: true, 'data-load': method });
  input.addEventListener('change', () => {
    const file = input.files?.[0];
    if (file) actions.load(method, file);
    input.value = '';
  });
  return element(
    'div',
    { class: 'files' },
    button('Save training', `Save the training of ${name}, to go on from`, () => actions.save(method, 'training')),
    button('Save network', `Save the network of ${name} alone`, () => actions.save(method, 'model')),
    button('Open', `Open a saved training, or a network for ${name}`, () => input.click()),
    input,
  );
}
