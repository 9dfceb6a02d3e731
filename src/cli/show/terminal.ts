import { createLogUpdate } from 'log-update';
import pc from 'picocolors';
import wrapAnsi from 'wrap-ansi';

/** A stream of text. A terminal has `isTTY`. */
export type TextStream = NodeJS.WritableStream & { isTTY?: boolean; columns?: number };

/** The streams that a command writes to. */
export interface Streams {
  stdout: TextStream;
  stderr: TextStream;
}

/**
 * Turns a command's work, a function that returns the exit code, into an action for commander. `fillsStdout` says whether the
 * command writes a result for programs to stdout; then text for people goes to stderr.
 */
export type Act = <Flags extends { json?: boolean }>(
  work: (terminal: Terminal, flags: Flags) => Promise<number>,
  fillsStdout?: (flags: Flags) => boolean,
) => (flags: Flags) => Promise<void>;

/**
 * The output of a command. Text for people goes to stdout, and a terminal gets a live line below it. With `--json` the text
 * goes to stderr, and stdout gets only JSON.
 */
export class Terminal {
  readonly isLive: boolean;
  readonly colors: ReturnType<typeof pc.createColors>;
  private readonly stdout: TextStream;
  private readonly text: TextStream;
  private readonly update: ReturnType<typeof createLogUpdate>;
  private current = '';

  constructor(
    { stdout, stderr }: Streams,
    readonly json: boolean,
    fillsStdout = json,
  ) {
    this.stdout = stdout;
    this.text = fillsStdout ? stderr : stdout;
    this.isLive = this.text.isTTY === true && process.env.TERM !== 'dumb';
    this.colors = pc.createColors(this.isLive && !process.env.NO_COLOR);
    this.update = createLogUpdate(this.text as NodeJS.WritableStream);
  }

  /** Characters per line; undefined if the output is not a terminal. */
  get columns(): number | undefined {
    return this.isLive ? this.text.columns : undefined;
  }

  /** Writes a line above the live line. On a terminal, long lines are wrapped between words. */
  line(text = ''): void {
    if (this.current) this.update.clear();
    const { columns } = this;
    this.text.write(`${columns ? wrapAnsi(text, columns, { trim: false }) : text}\n`);
    if (this.current) this.update(this.current);
  }

  /** Replaces the live line. If the output is not a terminal, writes an ordinary line. */
  live(text: string): void {
    if (!this.isLive) {
      this.line(text);
      return;
    }
    this.current = text;
    this.update(text);
  }

  /** Removes the live line. */
  clear(): void {
    if (!this.current) return;
    this.current = '';
    this.update.clear();
  }

  /** Keeps the live line as an ordinary one. */
  settle(): void {
    if (!this.current) return;
    this.current = '';
    this.update.done();
  }

  /** Writes an object as one line of JSON, if `--json` was given. NaN and infinity become null. */
  emit(object: { event: string; [name: string]: unknown }): void {
    if (this.json) this.stdout.write(`${JSON.stringify(object)}\n`);
  }

  /** Writes a result for programs to stdout. */
  result(text: string): void {
    this.stdout.write(text);
  }

  note(message: string): void {
    this.emit({ event: 'note', message });
    this.line(message);
  }

  warning(message: string): void {
    this.emit({ event: 'warning', message });
    this.line(this.colors.yellow(`warning: ${message}`));
  }
}
