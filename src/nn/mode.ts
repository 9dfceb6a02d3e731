import { evaluatesOnly } from '../autograd.ts';
import type { HostNote } from '../gpu/recording.ts';
import { recordingUnderWay } from '../gpu/scalar.ts';

/** Whether a captured function read the mode as it found it, and whether it set it. */
interface ModeNote extends HostNote {
  read: boolean;
  set: boolean;
}

/** Whether a module trains. A captured step runs only in the mode that its function found, and leaves the mode that it left. */
export class Mode {
  private value = true;

  constructor(private readonly owner: { readonly constructor: { readonly name: string } }) {}

  /** The mode that was set. */
  get training(): boolean {
    const note = this.note();
    if (note) note.read ||= !note.set;
    return this.value;
  }

  set training(training: boolean) {
    const note = this.note();
    if (note) note.set = true;
    this.value = training;
  }

  /** The mode to compute in. */
  get inForce(): boolean {
    return !evaluatesOnly() && this.training;
  }

  private note(): ModeNote | undefined {
    return recordingUnderWay()?.note('mode', this, () => {
      const entry = this.value;
      const check = () => {
        if (!note.read || this.value === entry) return undefined;
        const [name, call] = entry ? ['training', 'train'] : ['eval', 'eval'];
        return `${this.owner.constructor.name} was captured in ${name} mode; call ${call}() on it`;
      };
      const finish = () => {
        const exit = this.value;
        this.value = entry;
        const apply = () => {
          if (note.set) this.value = exit;
        };
        return { check, apply };
      };
      const note: ModeNote = { read: false, set: false, finish };
      return note;
    });
  }
}
