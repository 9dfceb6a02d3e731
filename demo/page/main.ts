import { find, setText } from '../shared/dom.ts';
import { Frames } from '../shared/frames.ts';
import { adviceOf, watchErrors } from '../shared/surface.ts';
import { App, type Surface } from './app.ts';
import { controls } from './controls.ts';
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
const surface: Surface = {
  changed: () => frames?.changed(),
  say: (text) => setText(find('status'), text),
  warn: (code, text) => {
    notice.hidden = false;
    setText(notice, adviceOf(code, text));
  },
  calm: () => {
    notice.hidden = true;
  },
};
let frames: Frames | undefined;
watchErrors(surface.warn);

const app = new App(surface, 'gpu' in navigator);
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
const pieces = [() => show(app.story.settings), ...views.map((view) => () => view(app.story))];
frames = new Frames(pieces);
// The first picture is whole.
for (const piece of pieces) piece();
// On a phone what most visitors leave as it is would fill the screen.
find<HTMLDetailsElement>('tuning').open = matchMedia('(min-width: 761px)').matches;
