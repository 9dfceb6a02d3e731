import type { Method } from '../../../src/train/options.ts';
import { element, find, styleOf } from '../../shared/dom.ts';
import { type Look, POINTS, type Samples } from '../protocol.ts';
import { DIGITS } from '../settings.ts';
import type { Track } from '../state.ts';
import { NAMES } from '../words.ts';
import { type Column, columns } from './columns.ts';
import type { View } from './view.ts';

const MARGIN = 14;
// Of the coordinates this share lies within the picture's middle; a few far ones do not shrink all others.
const INNER = 0.98;

/** Where the networks see the images of both domains: dots are print, numerals handwriting, the large numerals print's middle. */
export function featuresView(): View {
  const paints = new Map<Method, () => void>();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    for (const again of paints.values()) again();
  });
  const make = ({ method }: Track): Column => {
    const canvas = element('canvas', { class: 'features', role: 'img' });
    canvas.setAttribute('aria-label', `features of print and handwriting under ${NAMES[method]}`);
    let shown: { look: Look | undefined; samples: Samples | undefined } | undefined;
    const again = () => {
      if (shown?.look && shown.samples) paint(canvas, shown.look, shown.samples.pointLabels);
      else canvas.width = canvas.clientWidth;
    };
    paints.set(method, again);
    new ResizeObserver(again).observe(canvas);
    const draw: View = (story) => {
      const look = story.track(method)?.look;
      const { samples } = story;
      if (shown?.look === look && shown?.samples === samples) return;
      shown = { look, samples };
      again();
    };
    return { nodes: [canvas], draw };
  };
  return columns(find('features'), make, (story, track) => story.awaitsLook(track));
}

function paint(canvas: HTMLCanvasElement, { points }: Look, labels: Uint8Array): void {
  const ratio = devicePixelRatio;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext('2d')!;
  pen.scale(ratio, ratio);
  pen.textAlign = 'center';
  pen.textBaseline = 'middle';
  const x = placer(points, 0, width);
  const y = placer(points, 1, height);
  const colours = DIGITS.map((digit) => styleOf(`--digit-${digit}`));
  pen.globalAlpha = 0.55;
  for (let i = 0; i < POINTS; i++) {
    pen.fillStyle = colours[labels[i]!]!;
    pen.beginPath();
    pen.arc(x(i), y(i), 2.2, 0, 2 * Math.PI);
    pen.fill();
  }
  pen.globalAlpha = 0.3;
  pen.font = `700 ${Math.round(height / 8)}px Georgia, serif`;
  for (const digit of DIGITS) {
    const own = [...labels.subarray(0, POINTS).keys()].filter((i) => labels[i] === digit);
    const middle = (place: (i: number) => number) => own.reduce((sum, i) => sum + place(i), 0) / own.length;
    pen.fillStyle = colours[digit]!;
    pen.fillText(String(digit), middle(x), middle(y));
  }
  pen.globalAlpha = 1;
  pen.font = `600 ${width < 260 ? 9 : 11}px system-ui, sans-serif`;
  for (let i = POINTS; i < 2 * POINTS; i++) {
    pen.fillStyle = colours[labels[i]!]!;
    pen.fillText(String(labels[i]), x(i), y(i));
  }
}

/** Where on a side each point's coordinate lies. */
function placer(points: Float32Array, axis: 0 | 1, side: number): (i: number) => number {
  const values = Array.from({ length: points.length / 2 }, (_, i) => points[2 * i + axis]!).sort((a, b) => a - b);
  const cut = Math.floor(((1 - INNER) / 2) * values.length);
  const [least, most] = [values[cut]!, values[values.length - 1 - cut]!];
  const scale = (side - 2 * MARGIN) / (most - least || 1);
  const inside = (place: number) => Math.max(5, Math.min(side - 5, place));
  return (i) => inside(MARGIN + (points[2 * i + axis]! - least) * scale);
}
