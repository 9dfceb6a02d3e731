// The faces: package of @fontsource, weight. Most are handwriting fonts, the others print.
import { readFileSync } from 'node:fs';
import opentype from 'opentype.js';
import { bounds, flatten, transform } from './raster.mjs';

export const FACES = [
  ['architects-daughter', 400],
  ['caveat', 400],
  ['caveat', 700],
  ['caveat-brush', 400],
  ['coming-soon', 400],
  ['courier-prime', 400],
  ['courier-prime', 700],
  ['delius', 400],
  ['gaegu', 400],
  ['gaegu', 700],
  ['gloria-hallelujah', 400],
  ['gochi-hand', 400],
  ['handlee', 400],
  ['inconsolata', 400],
  ['inconsolata', 700],
  ['indie-flower', 400],
  ['kalam', 400],
  ['kalam', 700],
  ['lora', 400],
  ['lora', 700],
  ['nanum-pen-script', 400],
  ['open-sans', 400],
  ['open-sans', 700],
  ['patrick-hand', 400],
  ['reenie-beanie', 400],
  ['roboto', 400],
  ['roboto', 700],
  ['schoolbell', 400],
  ['shadows-into-light', 400],
];

/** Returns the outlines of 0 to 9, y downwards, in units of the median height of the face's ten digits. */
export function loadDigits([family, weight]) {
  // opentype.js reads WOFF but not WOFF2.
  const file = new URL(
    `node_modules/@fontsource/${family}/files/${family}-latin-${weight}-normal.woff`,
    import.meta.url,
  );
  const bytes = readFileSync(file);
  const font = opentype.parse(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const digits = Array.from('0123456789', (digit) => flatten(font.charToGlyph(digit).path.commands));
  const heights = digits.map((digit) => bounds(digit).y1 - bounds(digit).y0).sort((a, b) => a - b);
  const unit = 1 / heights[5];
  return digits.map((digit) => transform(digit, [unit, 0, 0], [0, -unit, 0]));
}
