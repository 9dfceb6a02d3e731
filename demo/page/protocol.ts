// The messages between the page and its worker. The page numbers its settings (`revision`) and its drawings (`drawing`);
// the worker repeats the numbers, so that the page can drop reports on settings that have changed meanwhile.
import type { Resize } from '../../src/data/readers/images.ts';
import type { AdapterInfo } from '../../src/gpu/device.ts';
import type { ClassWeightEvent, Evaluation, IterationMetrics } from '../../src/train/events.ts';
import type { MethodName } from '../../src/train/methods/named.ts';
import type { Settings, TaskName } from './settings.ts';

/** Side of a digit's image in pixels. */
export const SIDE = 28;
export const PIXELS = SIDE * SIDE;
/** Number of target images whose predictions are shown one by one. */
export const STRIP = 12;
/** Number of images per domain whose features are drawn. */
export const POINTS = 240;

/** The two folders of own images: labelled and unlabelled ones. */
export type Side = 'source' | 'target';

/** A file of a folder that the visitor chose. */
export interface OwnFile {
  /** Its path in the folder, with / between the names. */
  path: string;
  file: File;
}

/** The form that own images are brought to. */
export interface OwnForm {
  /** [channels, height, width] */
  shape: readonly [channels: 1 | 3, height: number, width: number];
  resize: Resize;
}

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
  | { type: 'load'; method: MethodName; name: string; bytes: Uint8Array }
  /** Analyses all runs as they are now. */
  | { type: 'analyse' }
  /** Ends all training runs, because there are no images for others yet. */
  | { type: 'close' }
  /** Reads the images of a folder. */
  | { type: 'folder'; side: Side; folder: string; files: readonly OwnFile[]; form: OwnForm; reading: number }
  /** Opens a model to label images with, instead of labelled images. */
  | { type: 'model'; name: string; bytes: Uint8Array }
  /** Labels all target images. */
  | { type: 'label'; by: Labeller };

export type SavedKind = 'checkpoint' | 'network';

/** The network that labels own images: that of a run, or one that was opened. */
export type Labeller = MethodName | 'model';

/** The images that the page shows, and the labels of those whose features it draws. */
export interface Samples {
  task: TaskName;
  classNames: readonly string[];
  /** The classes that occur in the target; all if it is unknown. */
  held: readonly number[];
  /** Shape of one image: [channels, height, width]. */
  shape: readonly number[];
  /** u8 [STRIP, channels, height, width] */
  source: Uint8Array;
  sourceLabels: ArrayLike<number>;
  /** u8 [STRIP, channels, height, width] */
  target: Uint8Array;
  /** Null if the target has no labels. */
  targetLabels: ArrayLike<number> | null;
  /** Labels of POINTS source images, then of POINTS target images if they have any. */
  pointLabels: ArrayLike<number>;
  /** Number of target images that the accuracy is measured on; 0 if they have no labels. */
  testCount: number;
}

/** What was read of a folder of own images. */
export interface OwnSet {
  side: Side;
  /** Images that were read. */
  count: number;
  shape: readonly number[];
  /** The names of the classes and the images of each; null without labels. */
  classes: { name: string; count: number }[] | null;
  /** u8 [n, channels, height, width]: all images of the target if they fit into MOST_SHOWN bytes, else the first ones; a few of the source. */
  images: Uint8Array;
  /** Names of the images in `images`. */
  names: readonly string[];
  /** Files that are left out, and why; at most MOST_PROBLEMS of them. */
  problems: { file: string; why: string }[];
  /** Number of all files that are left out. */
  leftOut: number;
}

/** Most bytes of images that the page keeps to show them. */
export const MOST_SHOWN = 32 * 2 ** 20;
export const MOST_PROBLEMS = 200;

/** A model that was opened to label images with. */
export interface OpenedModel extends OwnForm {
  file: string;
  arch: string;
  classNames: readonly string[];
}

/** The predictions of a network for all target images. */
export interface OwnLabels {
  by: Labeller;
  /** Iterations that the network was trained for; undefined for one that was opened. */
  iteration: number | undefined;
  names: readonly string[];
  classNames: readonly string[];
  /** [n, classes], row by row. */
  probabilities: Float32Array;
}

/** The labels that self-training would give itself, among POINTS target images. */
export interface OwnLabelling {
  /** Percent of the images that it is sure enough of. */
  kept: number;
  /** Percent of these labels that are right. Null if none is kept, or without true labels, which training never sees. */
  right: number | null;
}

/** The results of one network on the images that the page shows. */
export interface Snapshot {
  iteration: number;
  /** The labels that self-training would give itself now; undefined for other methods. */
  own: OwnLabelling | undefined;
  /** Uses target labels, which training never sees. Undefined if there are none. */
  evaluation: Evaluation | undefined;
  /** [2 * POINTS, 2]: features on their two principal axes. */
  points: Float32Array;
  /** [STRIP, classes]: probabilities for the target images of `Samples`. */
  probabilities: Float32Array;
}

/** What `padagrad analyse` finds out too, of one run. */
export interface RunAnalysis {
  iteration: number;
  /** From 0 (the features of both domains look alike) to 2. */
  aDistance: number;
  /** [n, 2]: features in the plane (UMAP), of `sources` source images, then of target images. */
  points: Float32Array;
  sources: number;
  /** The true class of each point, which only the picture uses; null without labels. */
  labels: readonly (number | null)[];
  predictions: readonly number[];
  /** Measured on the source's training images. */
  source: Evaluation | null;
  /** Measured on the target's test images; null without labels. */
  target: Evaluation | null;
  /** The wrong predictions for the target that are most probable. */
  mistakes: Mistake[];
}

export interface Mistake {
  /** u8 [channels, height, width] */
  pixels: Uint8Array;
  /** The file's name, if it has one. */
  name: string | null;
  truth: number;
  prediction: number;
  probability: number;
}

/** The measurements of one run since its last progress. */
export interface RunProgress {
  method: MethodName;
  /** Iterations done. */
  iteration: number;
  rows: IterationMetrics[];
  weights: ClassWeightEvent;
  /** Whether it has done all iterations that its method takes; it pauses until the visitor continues. */
  ended: boolean;
}

/** Reports that the page can wait for. */
export type Awaited = 'ready' | 'progress' | 'snapshots' | 'answers' | 'analyses';

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
  /** How much of the analysis is done, from 0 to 1. */
  | { type: 'analysing'; method: MethodName; share: number }
  | { type: 'analyses'; analyses: [MethodName, RunAnalysis][]; revision: number }
  | { type: 'saved'; name: string; bytes: Uint8Array<ArrayBuffer> }
  /** A file was opened. `iteration` is undefined if the file holds only a network. */
  | { type: 'loaded'; name: string; method: MethodName; iteration: number | undefined }
  /** The device was lost. Training continues from `iterations` on another one. */
  | { type: 'lost'; iterations: [MethodName, number][] }
  /** The number of files of a folder that were read. */
  | { type: 'reading'; side: Side; done: number; total: number; reading: number }
  /** A folder was read, or an error says why not. */
  | { type: 'read'; side: Side; set: OwnSet | null; error: string; reading: number }
  | { type: 'model'; model: OpenedModel }
  | ({ type: 'labels' } & OwnLabels)
  /** A command failed. After a `fatal` failure only a restart helps; `running` says whether training continues. */
  | { type: 'failed'; code: string; text: string; fatal: boolean; running: boolean };
