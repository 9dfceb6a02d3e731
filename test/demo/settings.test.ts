import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { defaultSettings, METHODS, parseSettings, type Settings, showSettings } from '../../demo/page/settings.ts';

test('the address without choices gives the defaults, and the defaults need no words', () => {
  assert.equal(parseSettings(''), defaultSettings);
  assert.equal(parseSettings('#'), defaultSettings);
  assert.is(showSettings(defaultSettings), '');
});

test('what an address says is what it gave', () => {
  const chosen: Settings = {
    methods: METHODS,
    digits: [1, 3, 9],
    temperature: 0.25,
    tradeOff: 1.5,
    updateSteps: 7,
    seed: 4294967295,
    batch: 16,
    speed: 5,
    run: true,
  };
  const shown = showSettings(chosen);
  assert.is(
    shown,
    'methods=source-only,dann,pada&digits=139&temperature=0.25&tradeOff=1.5&updateSteps=7&seed=4294967295&batch=16&speed=5&run=1',
  );
  assert.equal(parseSettings(`#${shown}`), chosen);
  assert.equal(parseSettings(showSettings({ ...defaultSettings, run: false })), { ...defaultSettings, run: false });
});

test('nonsense gives the defaults, and numbers are kept within their ranges', () => {
  const nonsense =
    'methods=best&digits=xyz&temperature=hot&tradeOff=&updateSteps=NaN&seed=Infinity&speed=3&run=yes&batch';
  assert.equal(parseSettings(nonsense), defaultSettings);
  const extreme = parseSettings('temperature=-1&tradeOff=1e9&updateSteps=0.4&seed=-5&batch=1e6');
  assert.equal(
    [extreme.temperature, extreme.tradeOff, extreme.updateSteps, extreme.seed, extreme.batch],
    [0.01, 5, 1, 0, 256],
  );
});

test('methods and digits come in order and once each', () => {
  const { methods, digits } = parseSettings('methods=pada,dann,pada&digits=77310');
  assert.equal(
    [methods, digits],
    [
      ['dann', 'pada'],
      [0, 1, 3, 7],
    ],
  );
});

test.run();
