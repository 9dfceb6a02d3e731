import { button, find, setText } from '../shared/dom.ts';
import { Screen } from '../shared/screen.ts';
import { adapterName } from '../shared/words.ts';
import { LabApp } from './app.ts';
import type { View } from './state.ts';
import { choicesView } from './views/choices.ts';
import { kernelView } from './views/kernel.ts';
import { measureView } from './views/measure.ts';
import { resultView } from './views/result.ts';
import { BUTTONS, STATUS } from './words.ts';

const screen = new Screen();
if ('gpu' in navigator) open();
else {
  for (const each of document.querySelectorAll('button')) each.disabled = true;
  screen.warn('NO_WEBGPU', '');
  screen.say(STATUS.noGpu);
  setText(find('adapter'), adapterName(null));
}

function open(): void {
  const app = new LabApp(screen);
  const { view, goTo } = kernelView(app);
  const views = [choicesView(app), view, resultView(goTo), measureView(app), buttonsView(app)];
  screen.show(views.map((each) => () => each(app.state)));
}

function buttonsView(app: LabApp): View {
  const run = button('run', () => (app.state.work === 'run' ? app.stop() : app.run()));
  const reset = button('reset', () => app.reset());
  button('share', () => app.share());
  return ({ work, sources, edits }) => {
    setText(run, work === 'run' ? BUTTONS.stop : BUTTONS.run);
    run.disabled = sources.length === 0 || (work !== undefined && work !== 'run');
    reset.disabled = work === 'run' || !sources.some(({ path }) => edits.has(path));
  };
}
