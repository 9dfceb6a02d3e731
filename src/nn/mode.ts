import { recordingUnderWay, ValueNote } from '../gpu/recording.ts';
import { isEvaluating } from '../ops/shared/evaluation.ts';

/** Whether a module is in training mode. A captured step runs only in the mode that its function found. */
export class Mode {
  private value = true;

  constructor(private readonly owner: { readonly constructor: { readonly name: string } }) {}

  /** The mode that was set last. */
  get training(): boolean {
    this.note()?.reads();
    return this.value;
  }

  set training(training: boolean) {
    this.note()?.sets();
    this.value = training;
  }

  /** The mode to compute in: false while class weights are computed. */
  get inForce(): boolean {
    return !isEvaluating() && this.training;
  }

  private note(): ValueNote<boolean> | undefined {
    const difference = (entry: boolean): string => {
      const [name, call] = entry ? ['training', 'train'] : ['eval', 'eval'];
      return `${this.owner.constructor.name} was captured in ${name} mode; call ${call}() on it`;
    };
    const set = (value: boolean): void => {
      this.value = value;
    };
    return recordingUnderWay()?.note('mode', this, () => new ValueNote(() => this.value, set, difference));
  }
}
