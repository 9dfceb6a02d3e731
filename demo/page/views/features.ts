import type { MethodName } from '../../../src/train/methods/named.ts';
import { element, find, styleOf } from '../../shared/dom.ts';
import { POINTS, type Samples, type Snapshot } from '../protocol.ts';
import { DIGITS } from '../settings.ts';
import type { RunState, View } from '../state.ts';
import { SAMPLES } from '../words.ts';
import { type Column, columns } from './columns.ts';

const MARGIN = 14;
// This share of the coordinates fills the picture, so that a few outliers do not shrink the rest.
const INNER = 0.98;

/**
 * The features of both domains on two axes. Dots are font digits, small numerals are handwriting, and large numerals mark
 * the mean of the font digits of a class.
 */
export function featuresView(): View {
  const paints = new Map<MethodName, () => void>();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    for (const repaint of paints.values()) repaint();
  });
  const make = ({ method }: RunState): Column => {
    const canvas = element('canvas', { class: 'features', role: 'img' });
    canvas.setAttribute('aria-label', SAMPLES.features(method));
    let shown: { snapshot: Snapshot | undefined; samples: Samples | undefined } | undefined;
    const repaint = () => {
      if (shown?.snapshot && shown.samples) paint(canvas, shown.snapshot, shown.samples.pointLabels);
      else canvas.width = canvas.clientWidth;
    };
    paints.set(method, repaint);
    new ResizeObserver(repaint).observe(canvas);
    const draw: View = (state) => {
      const snapshot = state.run(method)?.snapshot;
      const { samples } = state;
      if (shown?.snapshot === snapshot && shown?.samples === samples) return;
      shown = { snapshot, samples };
      repaint();
    };
    return { nodes: [canvas], draw };
  };
  return columns(find('features'), make, (state, run) => state.awaitsSnapshot(run));
}

function paint(canvas: HTMLCanvasElement, { points }: Snapshot, labels: Uint8Array): void {
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
    const mean = (place: (i: number) => number) => own.reduce((sum, i) => sum + place(i), 0) / own.length;
    pen.fillStyle = colours[digit]!;
    pen.fillText(String(digit), mean(x), mean(y));
  }
  pen.globalAlpha = 1;
  pen.font = `600 ${width < 260 ? 9 : 11}px system-ui, sans-serif`;
  for (let i = POINTS; i < 2 * POINTS; i++) {
    pen.fillStyle = colours[labels[i]!]!;
    pen.fillText(String(labels[i]), x(i), y(i));
  }
}

/** Returns a function that places each point along a side of the canvas. */
function placer(points: Float32Array, axis: 0 | 1, side: number): (i: number) => number {
  const values = Array.from({ length: points.length / 2 }, (_, i) => points[2 * i + axis]!).sort((a, b) => a - b);
  const cut = Math.floor(((1 - INNER) / 2) * values.length);
  const [least, most] = [values[cut]!, values[values.length - 1 - cut]!];
  const scale = (side - 2 * MARGIN) / (most - least || 1);
  const inside = (place: number) => Math.max(5, Math.min(side - 5, place));
  return (i) => inside(MARGIN + (points[2 * i + axis]! - least) * scale);
}
