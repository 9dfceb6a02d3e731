import { find, setText } from '../../shared/dom.ts';
import { PIXELS, type Samples, STRIP } from '../protocol.ts';
import { DIGITS } from '../settings.ts';
import type { View } from '../state.ts';
import { INTRODUCTION } from '../words.ts';
import { picture } from './picture.ts';

/** The introduction: its sentences about the selected digits, and samples of both kinds of digits. */
export function introductionView(): View {
  const [held, dann] = [find('held'), find('dann-effect')];
  const [fontDigits, handwriting] = [find('font-digits'), find('handwriting')];
  let shown: Samples | undefined;
  return ({ settings: { digits }, samples }) => {
    const absent = DIGITS.filter((digit) => !digits.includes(digit));
    setText(held, INTRODUCTION.held(digits, absent.length === 0));
    setText(dann, INTRODUCTION.dann(digits, absent));
    // The samples of the previous settings stay until there are others.
    if (!samples || samples === shown) return;
    shown = samples;
    fontDigits.replaceChildren(...pictures(samples.fontDigits, samples.fontLabels, INTRODUCTION.fontDigit));
    handwriting.replaceChildren(...pictures(samples.handwriting, samples.handwritingLabels, INTRODUCTION.handwritten));
  };
}

const pictures = (images: Uint8Array, labels: Uint8Array, name: (digit: number) => string): HTMLElement[] =>
  Array.from({ length: STRIP }, (_, i) => picture(images.subarray(PIXELS * i, PIXELS * (i + 1)), name(labels[i]!)));
