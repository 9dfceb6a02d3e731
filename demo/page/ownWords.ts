// Every text about the visitor's own images. Only visitors who have some load them.
import type { MethodName } from '../../src/train/methods/named.ts';
import { count } from '../shared/words.ts';
import type { Side } from './protocol.ts';
import { NAMES } from './words.ts';

/** Texts about the visitor's own images. */
export const OWN = {
  needed: {
    source: 'Choose a folder of labelled images first.',
    target: 'Choose a folder of unlabelled images first.',
  },
  title: { source: 'Labelled images', target: 'Unlabelled images' },
  hint: {
    source: 'Drop a folder here that holds a folder of images per class, or choose it.',
    target: 'Drop a folder here with the images to label, or choose it.',
  },
  choose: 'Choose a folder',
  chooseLabel: (side: Side) => (side === 'source' ? 'Choose the labelled folder' : 'Choose the unlabelled folder'),
  model: 'Open a saved model instead',
  reading: (folder: string, done: number, total: number) =>
    `Reading ${folder}: ${count(done)} of ${count(total)} images.`,
  read: (folder: string, n: number, shape: readonly number[]) =>
    `${folder}: ${count(n)} images, read as ${shape.slice(1).join('×')} ${shape[0] === 1 ? 'grey' : 'colour'}.`,
  opened: (file: string, arch: string, shape: readonly number[]) =>
    `${file}: a ${arch} for ${shape.slice(1).join('×')} ${shape[0] === 1 ? 'grey' : 'colour'} images.`,
  classes: (classes: readonly { name: string; count?: number }[]) =>
    `${classes.length} classes: ${classes.map(({ name, count: n }) => (n === undefined ? name : `${name} ${count(n)}`)).join(', ')}.`,
  /** Says that the target's folders are used, if they are classes of the source. */
  folders: 'Its folders are used to show an accuracy if they are named as the classes. Training never sees them.',
  noImage: 'it is no image file',
  leftOut: (n: number) => `${count(n)} ${n === 1 ? 'file' : 'files'} left out`,
  more: (n: number) => `and ${count(n)} more`,
  drop: 'Drop one folder, or several files.',
};

/** Texts about the labels that a network gives to own images. */
export const LABELS = {
  by: (by: MethodName | 'model') => (by === 'model' ? 'Label with the opened model' : `Label with ${NAMES[by]}`),
  title: (by: MethodName | 'model', iteration: number | undefined, n: number) =>
    by === 'model'
      ? `${count(n)} images, labelled by the opened model.`
      : `${count(n)} images, labelled by ${NAMES[by]} after ${count(iteration ?? 0)} iterations.`,
  counts: (counts: readonly (readonly [string, number])[]) =>
    counts.map(([name, n]) => `${name} ${count(n)}`).join(', '),
  sure: (probability: number) => `${Math.round(100 * probability)} %`,
  more: (n: number) => `Show ${count(n)} more`,
  rest: (n: number) => `${count(n)} further images are in the CSV file.`,
};
