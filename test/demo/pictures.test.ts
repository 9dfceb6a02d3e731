import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { recordedFigures } from '../../src/cli/commands/start.ts';
import { textOf, withText } from '../../tools/pictures/pngText.mjs';

// The README's picture of a terminal must show the recorded run, and that run today's reference figures.

const picture = readFileSync('docs/pictures/terminal.png');
const { lines } = JSON.parse(readFileSync('docs/figures/terminal.json', 'utf8')) as { lines: string[] };

test('the picture of the terminal contains the text of the recorded run', () => {
  assert.is(textOf(picture), lines.join('\n'));
  const blank = readFileSync('docs/pictures/lab.png');
  const text = 'a text – of two\nlines';
  assert.is(textOf(withText(blank, text)), text);
  // The checksum of the chunk, by Python's zlib.crc32.
  assert.is(withText(blank, 'a').readUInt32BE(blank.length + 10), 0x16391fe3);
});

test('the recorded run shows the reference figures of docs/figures/adaptation.json', () => {
  // The terminal wraps long lines.
  const squeezed = (text: string) => text.replace(/\s/g, '');
  assert.match(squeezed(lines.join('')), squeezed(recordedFigures('fontdigits-mnist')!));
});

test.run();
