// How the editor draws lines of WGSL: the kinds of their tokens, and whether they differ from the shipped text.

const KINDS = ['comment', 'attribute', 'number', 'keyword', 'type', 'call'] as const;

// One alternative per kind, in that order.
const TOKEN = new RegExp(
  [
    String.raw`(\/\/.*)`,
    String.raw`(@\w+)`,
    String.raw`(\b(?:0x[\da-fA-F]+|\d+\.?\d*(?:[eE][+-]?\d+)?)[uifh]?\b|\.\d+\w*)`,
    String.raw`(\b(?:fn|let|var|const|override|struct|alias|if|else|for|while|loop|break|continue|continuing|return|switch|case|default|enable|requires|true|false|storage|uniform|workgroup|private|function|read|write|read_write)\b)`,
    String.raw`(\b(?:f32|f16|u32|i32|bool|vec[234][fuih]?|mat[234]x[234][fh]?|array|atomic|ptr)\b)`,
    String.raw`(\b\w+(?=\s*\())`,
  ].join('|'),
  'g',
);

/** A piece of a line: plain text, or text of a kind. */
export type Token = string | { kind: (typeof KINDS)[number]; text: string };

/** Splits a line of WGSL into tokens. */
export function tokensOf(line: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (const match of line.matchAll(TOKEN)) {
    if (match.index > at) tokens.push(line.slice(at, match.index));
    const kind = KINDS[match.slice(1).findIndex((text) => text !== undefined)]!;
    tokens.push({ kind, text: match[0] });
    at = match.index + match[0].length;
  }
  if (at < line.length) tokens.push(line.slice(at));
  return tokens;
}

/** Returns for each line of `after` whether it is outside the longest common subsequence with `before`. */
export function changedLines(before: string, after: string): boolean[] {
  const [old, now] = [before.split('\n'), after.split('\n')];
  const { head, tail } = commonEnds(old, now);
  const [from, to] = [old.slice(head, old.length - tail), now.slice(head, now.length - tail)];
  // common[i][j]: length of the longest common subsequence of from[i..] and to[j..].
  const common = Array.from({ length: from.length + 1 }, () => new Uint32Array(to.length + 1));
  for (let i = from.length - 1; i >= 0; i--)
    for (let j = to.length - 1; j >= 0; j--)
      common[i]![j] = from[i] === to[j] ? common[i + 1]![j + 1]! + 1 : Math.max(common[i + 1]![j]!, common[i]![j + 1]!);
  const changed = now.map(() => false);
  for (let i = 0, j = 0; j < to.length; ) {
    if (i < from.length && from[i] === to[j]) i++;
    else if (i < from.length && common[i + 1]![j]! >= common[i]![j + 1]!) {
      i++;
      continue;
    } else changed[head + j] = true;
    j++;
  }
  return changed;
}

/** Returns how many lines two texts have in common at their start (`head`) and, of the rest, at their end (`tail`). */
export function commonEnds(a: readonly string[], b: readonly string[]): { head: number; tail: number } {
  const least = Math.min(a.length, b.length);
  let head = 0;
  while (head < least && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < least - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  return { head, tail };
}
