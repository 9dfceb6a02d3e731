// Minifies the WGSL of the published package: removes comments and space, and shortens names that only shaders use. A file may call
// functions of another file that it is joined with, so a module-level name gets the same short name in every file. A local name
// becomes a letter of itself where possible, so that similar functions stay similar, which gzip rewards.

// Any identifier but an attribute, as in `@group`.
const WORD = /(?<!@)\b[A-Za-z_]\w*\b/g;
// The same, without components, as in `v.x`.
const VARIABLE = /(?<![@.])\b[A-Za-z_]\w*\b/g;
const DECLARED = /\b(?:fn|let|var(?:<[^>]*>)?|const|struct|alias)\s+(\w+)|\b(\w+)\s*:(?!:)/g;
const TYPED = /\b(\w+)\s*:/g;
const LOCAL = /\b(?:let|var(?:<[^>]*>)?|const)\s+(\w+)/g;

// A function's name, its parameters and return type, and its body, with braces nested at most five deep.
const BODY = [1, 2, 3, 4].reduce((inner) => `\\{(?:[^{}]|${inner})*\\}`, '\\{[^{}]*\\}');
const FUNCTION = new RegExp(`(\\bfn\\s+\\w+)(\\([^{]*)(${BODY})`, 'g');

// Names that TypeScript uses: bindings, fields of Params, overrides, entry points.
const USED_BY_HOST = [
  /var<\s*(?:storage|uniform)[^>]*>\s*(\w+)/g,
  /override\s+(\w+)/g,
  /@compute[^{]*?\bfn\s+(\w+)/gs,
  /struct\s+(Params)\b/g,
];
const PARAMS = /struct\s+Params\s*\{([^}]*)\}/g;

const SWIZZLE = /^([xyzw]{1,4}|[rgba]{1,4})$/;
const LETTERS = [...'abcdefghijklmnopqrstuvwxyz'];

/** Returns a function that minifies any of these sources. */
export function wgslMinifier(sources) {
  const prepared = (source) => withShortLocals(source.replace(/\/\/[^\n]*/g, ''));
  const names = shortNames(sources.map(prepared));
  return (source) => withoutSpace(prepared(source).replace(WORD, (word) => names.get(word) ?? word));
}

const all = (text, pattern) => Array.from(text.matchAll(pattern), ([, name]) => name);

function withShortLocals(source) {
  return source.replace(FUNCTION, (_, head, signature, body) => {
    const text = signature + body;
    const locals = new Set([...all(signature, TYPED), ...all(body, LOCAL)]);
    const names = new Map();
    const taken = new Set((text.match(WORD) ?? []).filter((word) => !locals.has(word)));
    // Names that are letters already keep them, so they come first.
    for (const name of [...locals].sort((a, b) => Math.min(a.length, 2) - Math.min(b.length, 2))) {
      const letter = [...name.toLowerCase(), ...LETTERS].find((one) => /[a-z]/.test(one) && !taken.has(one));
      names.set(name, letter ?? name);
      taken.add(letter ?? name);
    }
    return head + text.replace(VARIABLE, (word) => names.get(word) ?? word);
  });
}

// Removes a space unless its neighbours would become another token: a longer word, `--`, `>=` or `/*`. Directives keep a line of
// their own, because the kernel loader looks for them there.
function withoutSpace(text) {
  const joined = text
    .trim()
    .split(/\s+/)
    .reduce((before, piece) => before + (APART.test(before.at(-1) + piece[0]) ? ' ' : '') + piece);
  return joined.replace(/\b(enable|requires)\b[^;]*;/g, '$&\n');
}
const APART = /^([\w.]{2}|[-+*/%&|^<>=!~]{2})$/;

/** Returns short names for the module-level names that only shaders use; the most frequent get the shortest. */
function shortNames(texts) {
  const kept = new Set(texts.flatMap((text) => USED_BY_HOST.flatMap((pattern) => all(text, pattern))));
  const declared = new Set();
  const counts = new Map();
  for (const text of texts) {
    for (const fields of all(text, PARAMS)) for (const name of all(fields, TYPED)) kept.add(name);
    for (const [, word, typed] of text.matchAll(DECLARED)) declared.add(word ?? typed);
    for (const [word] of text.matchAll(WORD)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const long = [...declared].filter((name) => name.length > 2 && !kept.has(name) && !SWIZZLE.test(name));
  long.sort((a, b) => counts.get(b) - counts.get(a) || (a < b ? -1 : 1));
  const free = freeNames(counts);
  return new Map(long.map((name) => [name, free.next().value]));
}

// Begins with a capital, because no keyword or reserved word of WGSL with two letters does.
function* freeNames(taken) {
  const first = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
  for (const a of first) if (!taken.has(a)) yield a;
  for (const a of first) for (const b of [...LETTERS, ...'0123456789']) if (!taken.has(a + b)) yield a + b;
}
