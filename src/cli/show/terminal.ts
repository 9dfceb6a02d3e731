import { createLogUpdate } from 'log-update';
import pc from 'picocolors';
import wrapAnsi from 'wrap-ansi';

/** A stream that text is written to; a terminal has `isTTY`. */
export type TextStream = NodeJS.WritableStream & { isTTY?: boolean; columns?: number };

/** What `--json` prints: one object a line. */
export interface JsonEvent {
  event:
    | 'note'
    | 'warning'
    | 'compile'
    | 'start'
    | 'progress'
    | 'classWeight'
    | 'evaluation'
    | 'profile'
    | 'run'
    | 'result'
    | 'error';
}

/**
 * Where a command writes: what people read goes to stdout, with a live line at the bottom of a terminal; under `--json`
 * it goes to stderr, and stdout has JSON alone.
 */
export class Terminal {
  readonly isLive: boolean;
  readonly colors: ReturnType<typeof pc.createColors>;
  private readonly people: TextStream;
  private readonly update: ReturnType<typeof createLogUpdate>;
  private current = '';

  constructor(
    private readonly stdout: TextStream,
    stderr: TextStream,
    readonly json: boolean,
  ) {
    this.people = json ? stderr : stdout;
    this.isLive = this.people.isTTY === true && process.env.TERM !== 'dumb';
    this.colors = pc.createColors(this.isLive && !process.env.NO_COLOR);
    this.update = createLogUpdate(this.people as NodeJS.WritableStream);
  }

  /** Characters a line; undefined where there is no terminal. */
  get columns(): number | undefined {
    return this.isLive ? this.people.columns : undefined;
  }

  /** Writes lines for people, above the live line; a terminal gets them broken between words. */
  line(text = ''): void {
    if (this.current) this.update.clear();
    const { columns } = this;
    this.people.write(`${columns ? wrapAnsi(text, columns, { trim: false }) : text}\n`);
    if (this.current) this.update(this.current);
  }

  /** Sets the live line; where there is no terminal it is written once, like any other. */
  live(text: string): void {
    if (!this.isLive) {
      this.line(text);
      return;
    }
    this.current = text;
    this.update(text);
  }

  /** Takes the live line away. */
  clear(): void {
    if (!this.current) return;
    this.current = '';
    this.update.clear();
  }

  /** Leaves the live line where it is: what comes next stands below it. */
  settle(): void {
    if (!this.current) return;
    this.current = '';
    this.update.done();
  }

  /** Writes an object as one line of JSON; nothing without `--json`. Numbers that JSON has not are null. */
  emit<E extends JsonEvent>(event: E): void {
    if (this.json) this.stdout.write(`${JSON.stringify(event)}\n`);
  }

  note(message: string): void {
    this.emit({ event: 'note', message } as JsonEvent);
    this.line(message);
  }

  warning(message: string): void {
    this.emit({ event: 'warning', message } as JsonEvent);
    this.line(this.colors.yellow(`warning: ${message}`));
  }
}
