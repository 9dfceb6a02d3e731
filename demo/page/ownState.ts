// The visitor's own images, as far as the page knows them: the files that were chosen, and what the worker read of them.
import type { Command, Labeller, OpenedModel, OwnFile, OwnForm, OwnLabels, OwnSet, Report, Side } from './protocol.ts';
import type { Settings } from './settings.ts';

/** A folder that was chosen. */
export interface OwnFolder {
  folder: string;
  files: readonly OwnFile[];
  /** Number of its latest reading. */
  reading: number;
  done: number;
  total: number;
  /** What was read; undefined until then. */
  set: OwnSet | undefined;
  /** Why it cannot be used, or ''. */
  error: string;
}

export class OwnState {
  readonly folders: { [S in Side]?: OwnFolder } = {};
  /** The model that labels images instead of one that is trained on the source. */
  model: OpenedModel | undefined;
  labels: OwnLabels | undefined;
  /** The network that is labelling now. */
  labelling: Labeller | undefined;
  private readings = 0;

  /** Whether there is everything that training needs. */
  get canTrain(): boolean {
    return !this.model && this.folders.source?.set !== undefined && this.folders.target?.set !== undefined;
  }

  get canLabel(): boolean {
    return this.model !== undefined && this.folders.target?.set !== undefined;
  }

  get isReading(): boolean {
    return Object.values(this.folders).some(({ set, error }) => !set && !error);
  }

  /** The form that all images are brought to: the opened model's, else the one that was chosen. */
  form({ channels, size, resize }: Settings): OwnForm {
    const { shape = [channels, size, size] as const, resize: fit = resize } = this.model ?? {};
    return { shape, resize: fit };
  }

  choose(side: Side, folder: string, files: readonly OwnFile[]): void {
    this.folders[side] = { folder, files, reading: 0, done: 0, total: files.length, set: undefined, error: '' };
    // Images with labels take the place of the model.
    if (side === 'source') this.model = undefined;
  }

  /** Forgets what was read, because it has to be read again: in another form, or by another worker. */
  forgetSets(): void {
    for (const folder of Object.values(this.folders)) Object.assign(folder, { reading: 0, set: undefined, error: '' });
    this.labels = undefined;
  }

  /** Returns the commands that read the folders that were not read yet. */
  unread(settings: Settings): Command[] {
    const form = this.form(settings);
    return (Object.entries(this.folders) as [Side, OwnFolder][])
      .filter(([, { reading }]) => reading === 0)
      .map(([side, chosen]) => {
        chosen.reading = ++this.readings;
        const { folder, files, reading } = chosen;
        return { type: 'folder', side, folder, files, form, reading };
      });
  }

  take(report: Report): void {
    const { type } = report;
    if (type === 'reading' || type === 'read') {
      const folder = this.folders[report.side];
      // Reports of an earlier reading come late.
      if (folder?.reading !== report.reading) return;
      if (type === 'reading') Object.assign(folder, { done: report.done, total: report.total });
      else Object.assign(folder, { set: report.set ?? undefined, error: report.error });
    } else if (type === 'model') {
      this.model = report.model;
      delete this.folders.source;
      this.forgetSets();
    } else if (type === 'labels') {
      this.labels = report;
      this.labelling = undefined;
    } else if (type === 'failed') this.labelling = undefined;
  }
}
