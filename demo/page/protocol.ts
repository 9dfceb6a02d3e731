// The messages between the page and its worker. The page numbers its settings (`revision`) and its drawings (`drawing`);
// the worker repeats the numbers, so that the page can drop reports on settings that have changed meanwhile.
import type { AdapterInfo } from '../../src/gpu/device.ts';
import type { ClassWeightEvent, Evaluation, IterationMetrics } from '../../src/train/events.ts';
import type { MethodName } from '../../src/train/methods/named.ts';
import type { Settings } from './settings.ts';

/** Side of an image in pixels. */
export const SIDE = 28;
export const PIXELS = SIDE * SIDE;
/** Number of target images whose predictions are shown one by one. */
export const STRIP = 12;
/** Number of images per domain whose features are drawn. */
export const POINTS = 240;

/** Messages from the page to the worker. */
export type Command =
  /** Restarts all training runs. */
  | { type: 'begin'; settings: Settings; revision: number }
  /** Continues the training runs with other settings. */
  | { type: 'change'; settings: Settings; revision: number }
  | { type: 'run' }
  | { type: 'pause' }
  /** Limits the iterations per second; Infinity is no limit. */
  | { type: 'speed'; speed: number }
  /** Trains one iteration of each run. */
  | { type: 'step' }
  /** Asks every network for its prediction of an image, u8 [28, 28]; null forgets the image. */
  | { type: 'draw'; pixels: Uint8Array | null; drawing: number }
  | { type: 'save'; method: MethodName; what: SavedKind }
  /** Opens a file that this page or Node saved. A network without a checkpoint goes to `method`. */
  | { type: 'load'; method: MethodName; name: string; bytes: Uint8Array };

export type SavedKind = 'checkpoint' | 'network';

/** The images that the page shows, and the labels of those whose features it draws. */
export interface Samples {
  /** u8 [STRIP, 28, 28] */
  fontDigits: Uint8Array;
  fontLabels: Uint8Array;
  /** u8 [STRIP, 28, 28] */
  handwriting: Uint8Array;
  handwritingLabels: Uint8Array;
  /** Labels of POINTS source images, then of POINTS target images. */
  pointLabels: Uint8Array;
  /** Number of target images that the accuracy is measured on. */
  testCount: number;
}

/** The results of one network on the images that the page shows. */
export interface Snapshot {
  iteration: number;
  /** Uses target labels, which training never sees. */
  evaluation: Evaluation;
  /** [2 * POINTS, 2]: features on their two principal axes. */
  points: Float32Array;
  /** [STRIP, 10]: probabilities for the handwriting of `Samples`. */
  probabilities: Float32Array;
}

/** The measurements of one run since its last progress. */
export interface RunProgress {
  method: MethodName;
  /** Iterations done. */
  iteration: number;
  rows: IterationMetrics[];
  weights: ClassWeightEvent;
}

/** Reports that the page can wait for. */
export type Awaited = 'ready' | 'progress' | 'snapshots' | 'answers';

/** Messages from the worker to the page. */
export type Report =
  | { type: 'opened'; adapter: AdapterInfo }
  /** The runs are at these iterations, with the settings of `revision` or of a file. */
  | {
      type: 'ready';
      settings: Settings;
      samples: Samples;
      iterations: [MethodName, number][];
      revision: number;
      /** Origin of the runs: a restart, the same runs with other settings or on another GPU, or a file. */
      from: 'start' | 'before' | 'file';
      /** Reports that follow at once. */
      next: readonly Awaited[];
    }
  | { type: 'progress'; runs: RunProgress[]; msPerStep: number; revision: number }
  | { type: 'snapshots'; snapshots: [MethodName, Snapshot][]; revision: number }
  | { type: 'answers'; answers: [MethodName, Float32Array][] | null; drawing: number; revision: number }
  /** No further iteration is running. */
  | { type: 'stopped'; iteration: number; why: 'asked' | 'done' }
  | { type: 'saved'; name: string; bytes: Uint8Array<ArrayBuffer> }
  /** A file was opened. `iteration` is undefined if the file holds only a network. */
  | { type: 'loaded'; name: string; method: MethodName; iteration: number | undefined }
  /** The device was lost. Training continues from `iterations` on another one. */
  | { type: 'lost'; iterations: [MethodName, number][] }
  /** A command failed. After a `fatal` failure only a restart helps; `running` says whether training continues. */
  | { type: 'failed'; code: string; text: string; fatal: boolean; running: boolean };
