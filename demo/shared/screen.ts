// The parts that the page and the lab show in the same way: a status line, a notice of errors, and views that are
// drawn after every change.
import { find, setText } from './dom.ts';
import { Frames } from './frames.ts';
import { ADVICE, pageError } from './words.ts';

export class Screen {
  private readonly status = find('status');
  private readonly notice = find('notice');
  private frames: Frames | undefined;

  /** Also shows errors that no other code catches. Without that, a broken page would look alive. */
  constructor() {
    const show = (error: unknown) => this.warn('', pageError(error instanceof Error ? error.message : String(error)));
    addEventListener('error', ({ error, message }) => show(error ?? message));
    addEventListener('unhandledrejection', ({ reason }) => show(reason));
  }

  /** Draws all views now, and again after every `changed()`. */
  show(draws: readonly (() => void)[]): void {
    this.frames = new Frames(draws);
    for (const draw of draws) draw();
  }

  changed(): void {
    this.frames?.changed();
  }

  /** Sets the status line, which screen readers read aloud. */
  say(text: string): void {
    setText(this.status, text);
  }

  /** Shows an error with advice for its code, or with its own text. */
  warn(code: string, text: string): void {
    this.notice.hidden = false;
    const insecure = code === 'NO_WEBGPU' && !isSecureContext;
    setText(this.notice, ADVICE[insecure ? 'INSECURE' : code] ?? text);
  }

  clearWarning(): void {
    this.notice.hidden = true;
  }
}
