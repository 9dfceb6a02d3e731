import type { Method } from '../../../src/train/options.ts';
import { element, find } from '../../shared/dom.ts';
import { NAMES } from '../words.ts';
import { columns } from './columns.ts';
import type { View } from './view.ts';

/** What can be done with one training's network. */
export interface NetworkActions {
  save(method: Method, what: 'training' | 'model'): void;
  load(method: Method, file: File): void;
}

/** What can be kept of each training, and opened in its place. */
export const filesView = (actions: NetworkActions): View =>
  columns(find('files'), ({ method }) => {
    const buttons = buttonsOf(method, actions);
    const draw: View = (story) => {
      for (const button of buttons.querySelectorAll('button')) button.disabled = !story.obeys || story.awaits('ready');
    };
    return { nodes: [buttons], draw };
  });

function buttonsOf(method: Method, actions: NetworkActions): HTMLElement {
  const button = (text: string, label: string, act: () => void) => {
    const made = element('button', { type: 'button', 'aria-label': label }, text);
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
    { class: 'buttons' },
    button('Save training', `Save the training of ${name}, to go on from`, () => actions.save(method, 'training')),
    button('Save network', `Save the network of ${name} alone`, () => actions.save(method, 'model')),
    button('Open', `Open a saved training, or a network for ${name}`, () => input.click()),
    input,
  );
}
