import type { AdapterInfo } from '../../src/gpu/device.ts';
import type { ClassWeightEvent, Evaluation, IterationMetrics } from '../../src/train/events.ts';
import type { Method } from '../../src/train/options.ts';
import type { Settings } from './settings.ts';

/** Images of the strip: target images whose predictions are shown one by one. */
export const STRIP = 12;
/** Images of each domain whose features are drawn. */
export const POINTS = 240;

/** What the page tells the worker. The page numbers its choices (`revision`) and its drawings (`drawing`); reports repeat the numbers. */
export type Command =
  /** Starts over with these settings. */
  | { type: 'begin'; settings: Settings; revision: number }
  /** Keeps the trainings, and continues with these settings. */
  | { type: 'change'; settings: Settings; revision: number }
  | { type: 'run' }
  | { type: 'pause' }
  /** Iterations a second; Infinity is as fast as it goes. */
  | { type: 'speed'; speed: number }
  /** One iteration of each training. */
  | { type: 'step' }
  /** Asks every network for an image of 28x28 bytes; null forgets the one before. */
  | { type: 'draw'; pixels: Uint8Array | null; drawing: number }
  | { type: 'save'; method: Method; what: 'training' | 'model' }
  /** Opens what was saved, here or by Node; a bare model goes to `method`. */
  | { type: 'load'; method: Method; name: string; bytes: Uint8Array };

/** Of the images that are shown again and again: bytes and labels. */
export interface Samples {
  /** [STRIP, 28, 28] */
  strip: Uint8Array;
  stripLabels: Uint8Array;
  /** Labels of the images whose features are drawn: POINTS of the source, then POINTS of the target. */
  pointLabels: Uint8Array;
  /** Images of the target that training sees, and that evaluation uses. */
  targetCount: number;
  testCount: number;
}

/** What one network makes of the images that are shown. */
export interface Look {
  iteration: number;
  /** Oracle: with labels that training never sees. */
  evaluation: Evaluation;
  /** [2 * POINTS, 2]: features along their two principal axes. */
  points: Float32Array;
  /** [STRIP, 10]: probabilities of the strip's images. */
  probabilities: Float32Array;
}

/** A report that the page can wait for. */
export type Due = 'ready' | 'progress' | 'looks' | 'answers';

/** What the worker tells the page. */
export type Report =
  | { type: 'opened'; adapter: AdapterInfo }
  /** The trainings are at these iterations, with the settings of `revision`, or those of a file. */
  | {
      type: 'ready';
      settings: Settings;
      samples: Samples;
      iterations: [Method, number][];
      revision: number;
      /** What the trainings come from: a start, the same ones with other settings or on another GPU, or a file. */
      from: 'start' | 'before' | 'file';
      /** Reports that follow at once. */
      next: readonly Due[];
    }
  | { type: 'progress'; figures: Figures[]; msPerStep: number; revision: number }
  | { type: 'looks'; looks: [Method, Look][]; revision: number }
  | { type: 'answers'; answers: [Method, Float32Array][] | null; drawing: number; revision: number }
  /** No further iteration is under way. */
  | { type: 'stopped'; iteration: number; why: 'asked' | 'done' }
  | { type: 'saved'; name: string; bytes: Uint8Array<ArrayBuffer> }
  | { type: 'loaded'; text: string }
  /** The device was lost, and training goes on from `iterations` on another one. */
  | { type: 'lost'; iterations: [Method, number][] }
  /** Something cannot be done; `fatal` where nothing goes on without a new beginning, `running` where training does. */
  | { type: 'failed'; code: string; text: string; fatal: boolean; running: boolean };

/** What one training measured since the last time. */
export interface Figures {
  method: Method;
  /** Iterations done. */
  iteration: number;
  rows: IterationMetrics[];
  weights: ClassWeightEvent;
}
