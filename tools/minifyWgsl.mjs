// WGSL for the library as it is published: without comments and needless space, and with short names where no one outside of
// the shaders says the name. Functions of one file are called from another that it is joined with, so a name is shortened
// everywhere, or nowhere.

// Not an attribute, as in `@group`.
const WORD = /(?<!@)\b[A-Za-z_]\w*\b/g;
const DECLARED = /\b(?:fn|let|var(?:<[^>]*>)?|const|struct|alias)\s+(\w+)|\b(\w+)\s*:(?!:)/g;

// Names that the host says: bindings, fields of Params, overrides, entry points.
const SAID = [
  /var<\s*(?:storage|uniform)[^>]*>\s*(\w+)/g,
  /override\s+(\w+)/g,
  /@compute[^{]*?\bfn\s+(\w+)/gs,
  /struct\s+(Params)\b/g,
];
const PARAMS = /struct\s+Params\s*\{([^}]*)\}/g;

// What WGSL itself gives a meaning: a variable may have such a name in one file, and another file call the function.
const SWIZZLE = /^([xyzw]{1,4}|[rgba]{1,4})$/;
const BUILTIN = new Set(
  `abs acos all any asin atan ceil clamp cos cosh cross degrees determinant distance dot exp exp2 floor fma fract length log
  log2 max min mix modf normalize pow radians reflect round saturate sign sin sinh smoothstep sqrt step tan tanh transpose trunc
  select sign array vec2 vec3 vec4 default case read write storage uniform workgroup private function`.split(/\s+/),
);

/** A function that minifies the text of any of these sources. */
export function wgslMinifier(sources) {
  const texts = sources.map(withoutComments);
  const names = shortNames(texts);
  return (source) => {
    const renamed = withoutComments(source).replace(WORD, (word) => names.get(word) ?? word);
    return withoutSpace(renamed);
  };
}

const withoutComments = (source) => source.replace(/\/\/[^\n]*/g, '');

// Two pieces that space keeps apart join where no token could come of it: no longer word, no `--`, `>=` or `/*`. Directives keep
// a line of their own, where the loader looks for them.
function withoutSpace(text) {
  const joined = text
    .trim()
    .split(/\s+/)
    .reduce((before, piece) => before + (APART.test(before.at(-1) + piece[0]) ? ' ' : '') + piece);
  return joined.replace(/\b(enable|requires)\b[^;]*;/g, '$&\n');
}
const APART = /^([\w.]{2}|[-+*/%&|^<>=!~]{2})$/;

/** Short names for all that only shaders say, the most frequent first. */
function shortNames(texts) {
  const kept = new Set(BUILTIN);
  const declared = new Set();
  const counts = new Map();
  for (const text of texts) {
    for (const pattern of SAID) for (const [, name] of text.matchAll(pattern)) kept.add(name);
    for (const [, body] of text.matchAll(PARAMS)) for (const [, name] of body.matchAll(/(\w+)\s*:/g)) kept.add(name);
    for (const [, word, typed] of text.matchAll(DECLARED)) declared.add(word ?? typed);
    for (const [word] of text.matchAll(WORD)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const long = [...declared].filter((name) => name.length > 2 && !kept.has(name) && !SWIZZLE.test(name));
  long.sort((a, b) => counts.get(b) - counts.get(a) || (a < b ? -1 : 1));
  const free = freeNames(counts);
  return new Map(long.map((name) => [name, free.next().value]));
}

// A capital first: no keyword or reserved word of WGSL of two letters has one.
function* freeNames(taken) {
  const first = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
  for (const a of first) if (!taken.has(a)) yield a;
  for (const a of first) for (const b of `${first.toLowerCase()}0123456789`) if (!taken.has(a + b)) yield a + b;
}
