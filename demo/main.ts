import { App, type Surface } from './app.ts';
import { controls } from './controls.ts';
import { find, setText } from './dom.ts';
import { Frames } from './frames.ts';
import { adviceOf } from './notices.ts';
import { parseSettings } from './settings.ts';
import { accuracyView } from './views/accuracy.ts';
import { answersView } from './views/answers.ts';
import { buttonsView } from './views/buttons.ts';
import { confusionView } from './views/confusion.ts';
import { featuresView } from './views/features.ts';
import { filesView } from './views/files.ts';
import { domainView, lossView } from './views/losses.ts';
import { scoresView } from './views/scores.ts';
import { Sketch } from './views/sketch.ts';
import { statusView } from './views/status.ts';
import { stripView } from './views/strip.ts';
import { weightsView } from './views/weights.ts';

const notice = find('notice');

/** Warns at the head of the page. */
function warn(code: string, text: string): void {
  notice.hidden = false;
  setText(notice, adviceOf(code, text));
}

/** Without WebGPU: the page with its explanations, and what to do. */
function standStill(): void {
  controls(() => {})(parseSettings(location.hash));
  warn('NO_WEBGPU', '');
  setText(find('status'), 'Nothing can be trained here.');
  setText(find('adapter'), 'no GPU at all');
}

function run(): void {
  const surface: Surface = {
    changed: () => frames.changed(),
    say: (text) => setText(find('status'), text),
    warn,
    calm: () => {
      notice.hidden = true;
    },
  };
  const app = new App(surface);
  const sketch = new Sketch((pixels) => app.draw(pixels));
  const show = controls((change) => app.choose(change));
  const views = [
    statusView(),
    buttonsView(app, sketch),
    scoresView(),
    weightsView(),
    accuracyView(),
    featuresView(),
    stripView(),
    lossView(),
    domainView(),
    confusionView(),
    answersView(),
    filesView(app),
  ];
  const frames = new Frames([() => show(app.settings), ...views.map((view) => () => view(app.story))]);
  frames.changed();
}

// On a phone what most visitors leave as it is would fill the screen.
find<HTMLDetailsElement>('tuning').open = matchMedia('(min-width: 761px)').matches;
if ('gpu' in navigator) run();
else standStill();
