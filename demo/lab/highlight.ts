const KINDS = ['comment', 'attribute', 'number', 'keyword', 'type', 'call'] as const;

// One alternative a kind, in that order.
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

/** Text, or text with what it is in WGSL. */
export type Token = string | { kind: (typeof KINDS)[number]; text: string };

/** A line of WGSL in pieces. */
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
