// Pictures of features in the plane. Each point is an image, coloured by its class.
import { element, find, styleOf } from '../../shared/dom.ts';
import { POINTS } from '../protocol.ts';
import type { TaskName } from '../settings.ts';
import type { RunState, View } from '../state.ts';
import { SAMPLES } from '../words.ts';
import { type Column, columns } from './columns.ts';

const MARGIN = 14;
// This share of the coordinates fills the picture, so that a few outliers do not shrink the rest.
const INNER = 0.98;

/** Points in the plane: of `sources` source images, then of target images. */
export interface Scatter {
  /** [n, 2] */
  points: Float32Array;
  sources: number;
  /** The class of each point, as far as it is known. */
  labels: ArrayLike<number | null>;
  task: TaskName;
  classNames: readonly string[];
}

/**
 * Returns a function that makes a picture of points; `key` tells pictures apart. Dots are source images. Small numerals are handwritten
 * digits, small rings other target images. Large texts mark the mean of the source images of a class.
 */
export function scatters(): (key: string, label: string) => { canvas: Node; show(now: Scatter | undefined): void } {
  const paints = new Map<string, () => void>();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    for (const repaint of paints.values()) repaint();
  });
  return (key, label) => {
    const canvas = element('canvas', { class: 'features', role: 'img', 'aria-label': label });
    let shown: Scatter | undefined;
    const repaint = () => {
      if (shown) paint(canvas, shown);
      else canvas.width = canvas.clientWidth;
    };
    paints.set(key, repaint);
    new ResizeObserver(repaint).observe(canvas);
    return {
      canvas,
      show(now) {
        if (now?.points === shown?.points && now?.labels === shown?.labels) return;
        shown = now;
        repaint();
      },
    };
  };
}

/** The features of both domains on their two principal axes. */
export function featuresView(): View {
  const scatter = scatters();
  const make = ({ method }: RunState): Column => {
    const { canvas, show } = scatter(method, SAMPLES.features(method));
    const draw: View = (state) => {
      const { samples } = state;
      const points = state.run(method)?.snapshot?.points;
      show(points && samples && { ...samples, points, sources: POINTS, labels: samples.pointLabels });
    };
    return { nodes: [canvas], draw };
  };
  return columns(find('features'), make, (state, run) => state.awaitsSnapshot(run));
}

function paint(canvas: HTMLCanvasElement, { points, sources, labels, task, classNames }: Scatter): void {
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
  const colours = classNames.map((_, c) => colourOf(c));
  pen.globalAlpha = 0.55;
  for (let i = 0; i < sources; i++) {
    pen.fillStyle = colours[labels[i]!]!;
    pen.beginPath();
    pen.arc(x(i), y(i), 2.2, 0, 2 * Math.PI);
    pen.fill();
  }
  pen.globalAlpha = 0.3;
  pen.font = `700 ${Math.round(height / (task === 'digits' ? 8 : 14))}px Georgia, serif`;
  for (const [c, name] of classNames.entries()) {
    const own = Array.from({ length: sources }, (_, i) => i).filter((i) => labels[i] === c);
    if (own.length === 0) continue;
    const mean = (place: (i: number) => number) => own.reduce((sum, i) => sum + place(i), 0) / own.length;
    pen.fillStyle = colours[c]!;
    pen.fillText(name, mean(x), mean(y));
  }
  pen.globalAlpha = 1;
  pen.font = `600 ${width < 260 ? 9 : 11}px system-ui, sans-serif`;
  for (let i = sources; i < points.length / 2; i++) {
    pen.fillStyle = pen.strokeStyle = colours[labels[i] ?? -1] ?? styleOf('--ink');
    if (task === 'digits') {
      pen.fillText(String(labels[i]), x(i), y(i));
      continue;
    }
    pen.beginPath();
    pen.arc(x(i), y(i), 3.5, 0, 2 * Math.PI);
    pen.stroke();
  }
}

// Multiples of this angle are far from each other on the wheel of colours.
const GOLDEN_ANGLE = 137.5;

/** The colour of a class: one of ten that are easy to tell apart, or a further one. */
const colourOf = (c: number): string => styleOf(`--digit-${c}`) || `hsl(${Math.round(c * GOLDEN_ANGLE) % 360} 55% 50%)`;

/** Returns a function that places each point along a side of the canvas. */
function placer(points: Float32Array, axis: 0 | 1, side: number): (i: number) => number {
  const values = Array.from({ length: points.length / 2 }, (_, i) => points[2 * i + axis]!).sort((a, b) => a - b);
  const cut = Math.floor(((1 - INNER) / 2) * values.length);
  const [least, most] = [values[cut]!, values[values.length - 1 - cut]!];
  const scale = (side - 2 * MARGIN) / (most - least || 1);
  const inside = (place: number) => Math.max(5, Math.min(side - 5, place));
  return (i) => inside(MARGIN + (points[2 * i + axis]! - least) * scale);
}
