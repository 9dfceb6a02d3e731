import { find } from '../shared/dom.ts';
import { Screen } from '../shared/screen.ts';
import { App } from './app.ts';
import { controls } from './controls.ts';
import type { PageState, View } from './state.ts';
import { accuracyView } from './views/accuracy.ts';
import { answersView } from './views/answers.ts';
import { buttonsView } from './views/buttons.ts';
import { confusionView } from './views/confusion.ts';
import { featuresView } from './views/features.ts';
import { filesView } from './views/files.ts';
import { introductionView } from './views/introduction.ts';
import { labellingView } from './views/labelling.ts';
import { domainView, lossView } from './views/losses.ts';
import { scoresView } from './views/scores.ts';
import { Sketch } from './views/sketch.ts';
import { statusView } from './views/status.ts';
import { stripView } from './views/strip.ts';
import { weightCurvesView, weightsView } from './views/weights.ts';

const screen = new Screen();
const app = new App(screen, 'gpu' in navigator);
const sketch = new Sketch((pixels) => app.draw(pixels));
const views: View[] = [
  controls((change) => app.choose(change)),
  introductionView(),
  statusView(),
  buttonsView(app, sketch),
  scoresView(),
  weightsView(),
  weightCurvesView(),
  accuracyView(),
  featuresView(),
  stripView(),
  lossView(),
  domainView(),
  labellingView(),
  confusionView(),
  answersView(),
  filesView(app),
  onDemand(
    ({ settings }) => settings.task === 'own',
    async () => {
      const [{ ownView }, { labelsView }] = await Promise.all([import('./views/own.ts'), import('./views/labels.ts')]);
      return [ownView(app), labelsView(app)];
    },
  ),
  onDemand(
    (state) => state.awaits('analyses'),
    async () => [(await import('./views/analysis.ts')).analysisView(find('analysis'))],
  ),
];
screen.show(views.map((view) => () => view(app.state)));
// On a phone the settings would fill the screen, and most visitors leave them as they are.
find<HTMLDetailsElement>('tuning').open = matchMedia('(min-width: 761px)').matches;

/** Views that most visitors do not need, which load when `wanted` returns true. */
function onDemand(wanted: (state: PageState) => boolean, load: () => Promise<View[]>): View {
  let views: View[] | undefined;
  return (state) => {
    if (views) for (const view of views) view(state);
    else if (wanted(state)) {
      views = [];
      load().then((loaded) => {
        views = loaded;
        screen.changed();
      });
    }
  };
}
