import type { MethodName } from '../../../src/train/methods/named.ts';
import { element, find } from '../../shared/dom.ts';
import type { App } from '../app.ts';
import type { View } from '../state.ts';
import { FILES } from '../words.ts';
import { columns } from './columns.ts';

/** Buttons to save each run, and to open a file instead. */
export const filesView = (app: App): View =>
  columns(find('files'), ({ method }) => {
    const buttons = buttonsOf(method, app);
    const draw: View = (state) => {
      for (const button of buttons.querySelectorAll('button'))
        button.disabled = !state.hasRuns || state.awaits('ready');
    };
    return { nodes: [buttons], draw };
  });

function buttonsOf(method: MethodName, app: App): HTMLElement {
  const button = ({ text, label }: (typeof FILES)[keyof typeof FILES], act: () => void) => {
    const made = element('button', { type: 'button', 'aria-label': label(method) }, text);
    made.addEventListener('click', act);
    return made;
  };
  const input = element('input', { type: 'file', accept: '.safetensors', hidden: true, 'data-load': method });
  input.addEventListener('change', () => {
    const file = input.files?.[0];
    if (file) app.load(method, file);
    input.value = '';
  });
  return element(
    'div',
    { class: 'buttons' },
    button(FILES.checkpoint, () => app.save(method, 'checkpoint')),
    button(FILES.network, () => app.save(method, 'network')),
    button(FILES.open, () => input.click()),
    input,
  );
}
