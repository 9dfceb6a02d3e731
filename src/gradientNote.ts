import type { HostNote, HostReplay, Recording } from './gpu/recording.ts';
import { showShape } from './shape.ts';
import type { Tensor } from './tensor.ts';
import { keep } from './tidy.ts';

/** @internal Whether the captured function itself has decided if the tensor has a gradient: by zeroGrad or backward. */
export function decidesGradient(recording: Recording, x: Tensor): boolean {
  const note = recording.noted('gradient', x);
  return x.madeIn === recording || (note instanceof GradientNote && note.decides);
}

/** Tracks the gradient of a tensor in a capture: every run finds and leaves it as the captured function did. */
export class GradientNote implements HostNote {
  private readonly entry: Tensor | null;
  private wasRead = false;
  private wasWritten = false;

  constructor(private readonly x: Tensor) {
    this.entry = x.gradient;
  }

  get decides(): boolean {
    return this.wasWritten;
  }

  reads(): void {
    if (!this.wasWritten) this.wasRead = true;
  }

  writes(): void {
    this.wasWritten = true;
  }

  finish(): HostReplay {
    const { x, entry, wasRead, wasWritten } = this;
    const exit = x.gradient;
    const slot = x.gradSlot;
    x.gradient = entry;
    const name = `${x.label}${showShape(x.shape)}`;
    const check = (): string | undefined => {
      if (wasRead && (entry ? !entry.sharesPlace(x.gradient) : x.gradient)) {
        const [before, now] = [entry, x.gradient].map((grad) => (grad ? 'a gradient' : 'no gradient'));
        return before === now
          ? `the gradient of ${name} is another tensor than at the capture`
          : `${name} had ${before} at the capture but has ${now}; call zeroGrad() inside the captured function, or before every run`;
      }
      if (wasWritten && x.gradSlot !== slot) return `${name} has another optimiser than at the capture`;
      return undefined;
    };
    if (!wasWritten) return { check };
    const own = exit !== slot && exit?.madeIn ? exit : null;
    const apply = (): void => {
      if (x.gradient !== x.gradSlot && x.gradient !== exit) x.gradient?.dispose();
      x.gradient = own ? keep(own.view()) : exit;
    };
    return { check, apply, dispose: () => own?.dispose() };
  }
}
