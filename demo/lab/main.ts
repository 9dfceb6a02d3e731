import { find, setText } from '../shared/dom.ts';
import { Frames } from '../shared/frames.ts';
import { adviceOf, watchErrors } from '../shared/surface.ts';
import { Desk } from './app.ts';
import type { State, View } from './state.ts';
import { choicesView } from './views/choices.ts';
import { kernelView } from './views/kernel.ts';
import { measureView } from './views/measure.ts';
import { resultView } from './views/result.ts';

const notice = find('notice');
const say = (text: string) => setText(find('status'), text);

function warn(code: string, text: string): void {
  notice.hidden = false;
  setText(notice, adviceOf(code, text));
}

function open(): void {
  const desk = new Desk({
    changed: () => frames.changed(),
    say,
    warn,
    calm: () => {
      notice.hidden = true;
    },
  });
  const { view, goTo } = kernelView(desk);
  const views = [choicesView(desk), view, resultView(goTo), measureView(desk), buttonsView(desk)];
  const frames = new Frames(views.map((one) => () => one(desk.state)));
  frames.changed();
}

function buttonsView(desk: Desk): View {
  const [run, reset] = [find<HTMLButtonElement>('run'), find<HTMLButtonElement>('reset')];
  run.addEventListener('click', () => (desk.state.work === 'run' ? desk.stop() : desk.run()));
  reset.addEventListener('click', () => desk.reset());
  find('share').addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      say('The link is in the clipboard; changes of the text are not in it.');
    } catch {
      say('The link is the address above; changes of the text are not in it.');
    }
  });
  return ({ work, sources, edits }: State) => {
    setText(run, work === 'run' ? 'Stop' : 'Run');
    run.disabled = sources.length === 0 || (work !== undefined && work !== 'run');
    reset.disabled = work === 'run' || !sources.some(({ path }) => edits.has(path));
  };
}

watchErrors(warn);
if ('gpu' in navigator) open();
else {
  for (const button of document.querySelectorAll('button')) button.disabled = true;
  warn('NO_WEBGPU', '');
  say('Nothing can be run here.');
  setText(find('adapter'), 'no GPU at all');
}
