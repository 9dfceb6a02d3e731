import { parseWgsl, type WgslModule } from '../../../src/gpu/wgsl.ts';
import type { Edits, Fault, Source } from '../protocol.ts';

/** The files that a kernel's module was joined of, in their order. @throws Error if it was not */
export function filesOf({ code }: WgslModule, sources: Edits): Source[] {
  const files = Object.entries(sources).map(([path, text]) => ({ path, text, body: bodyOf(text) }));
  // Directives stand first, a line each.
  for (let rest = code; ; rest = rest.slice(rest.indexOf('\n') + 1)) {
    const joined = cut(rest, files);
    if (joined) return joined;
    if (!/^(enable|requires)\s/.test(rest)) throw new Error(`a kernel is joined of other files: ${rest.slice(0, 80)}`);
  }
}

/** Which files a text is, one below the other; undefined where it is something else. */
function cut(text: string, files: readonly (Source & { body: string })[]): Source[] | undefined {
  for (const { path, text: whole, body } of files) {
    if (!text.startsWith(body)) continue;
    if (text.length === body.length) return [{ path, text: whole }];
    const others = text[body.length] === '\n' ? cut(text.slice(body.length + 1), files) : undefined;
    if (others) return [{ path, text: whole }, ...others];
  }
  return undefined;
}

/** What is left of a file in a module that it is joined to: no comments, no directives, and every line where it was. */
function bodyOf(text: string): string {
  const { code } = parseWgsl('', [text]);
  return code.split('\n').slice(-text.split('\n').length).join('\n');
}

/** A module with some files edited. */
export class EditedModule {
  readonly code: string;
  private readonly directives: number;

  /** @throws GpuError if `Params` cannot be read */
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

  /** Whether bindings and `Params` are those that the host's code has values for. */
  readonly asDeclared: boolean;

  /** What the compiler said, at its place in the files. */
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
