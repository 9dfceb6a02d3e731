import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { recordedFigures } from '../../src/cli/commands/start.ts';
import { textOf, withText } from '../../tools/pictures/pngText.mjs';

// The README's picture of a terminal must show the recorded run, and that run today's reference figures.

const picture = readFileSync('docs/pictures/terminal.png');
const { lines } = JSON.parse(readFileSync('docs/figures/terminal.json', 'utf8')) as { lines: string[] };

test('the picture of the terminal shows the recorded run', () => {
  assert.is(textOf(picture), lines.join('\n'));
  assert.is(
    textOf(withText(readFileSync('docs/pictures/lab-dark.png'), 'a text – of two\nlines')),
    'a text – of two\nlines',
  );
});

test('the recorded run shows the reference figures of docs/figures/adaptation.json', () => {
  // The terminal wraps long lines.
  const squeezed = (text: string) => text.replace(/\s/g, '');
  assert.match(squeezed(lines.join('')), squeezed(recordedFigures('fontdigits-mnist')!));
});

test.run();
