// Maps between a kernel's WGSL module and the files that it is joined from, so that an edit of a file reaches the compiler and
// the compiler's errors reach their lines.
import { parseWgsl, type WgslModule } from '../../../src/gpu/wgsl.ts';
import type { Edits, Fault, Source } from '../protocol.ts';
import { PROBLEMS } from '../words.ts';

/** Returns the files that a module was joined from, in order. Throws if the module has another origin. */
export function filesOf({ code }: WgslModule, sources: Edits): Source[] {
  const files = Object.entries(sources).map(([path, text]) => ({ path, text, body: bodyOf(text) }));
  // Skips the directives, which stand first, one per line.
  for (let rest = code; ; rest = rest.slice(rest.indexOf('\n') + 1)) {
    const joined = cut(rest, files);
    if (joined) return joined;
    if (!/^(enable|requires)\s/.test(rest)) throw new Error(PROBLEMS.otherFiles(rest.slice(0, 80)));
  }
}

/** Returns the files that a text consists of, one after the other; undefined if there are none. */
function cut(text: string, files: readonly (Source & { body: string })[]): Source[] | undefined {
  for (const { path, text: whole, body } of files) {
    if (!text.startsWith(body)) continue;
    if (text.length === body.length) return [{ path, text: whole }];
    const others = text[body.length] === '\n' ? cut(text.slice(body.length + 1), files) : undefined;
    if (others) return [{ path, text: whole }, ...others];
  }
  return undefined;
}

/** Returns what a module contains of a file: its lines without comments and directives. */
function bodyOf(text: string): string {
  const { code } = parseWgsl('', [text]);
  return code.split('\n').slice(-text.split('\n').length).join('\n');
}

/** A module with some of its files edited. */
export class EditedModule {
  readonly code: string;
  private readonly directives: number;

  /** Throws a `GpuError` if `Params` cannot be parsed. */
  constructor(
    readonly shipped: WgslModule,
    private readonly files: readonly Source[],
  ) {
    const texts = files.map(({ text }) => text);
    const { code, bindings, fields } = parseWgsl('the edited kernel', texts);
    this.code = code;
    this.directives = code.split('\n').length - texts.join('\n').split('\n').length;
    this.asDeclared = show({ bindings, fields }) === show(shipped);
  }

  /** Whether bindings and `Params` are unchanged, as the host code needs them. */
  readonly asDeclared: boolean;

  /** Returns the compiler's errors with their places in the files. */
  faults({ messages }: GPUCompilationInfo): Fault[] {
    return messages
      .filter(({ type }) => type === 'error')
      .map(({ lineNum, linePos, length, message }) => ({
        ...this.place(lineNum),
        column: linePos,
        length,
        text: message.trim(),
      }));
  }

  private place(line: number): { path: string; line: number } {
    let left = line - this.directives;
    for (const { path, text } of left > 0 ? this.files : []) {
      const lines = text.split('\n').length;
      if (left <= lines) return { path, line: left };
      left -= lines;
    }
    return { path: this.files.at(-1)!.path, line: 0 };
  }
}

const show = ({ bindings, fields }: Pick<WgslModule, 'bindings' | 'fields'>): string =>
  JSON.stringify([[...bindings.values()], fields]);
