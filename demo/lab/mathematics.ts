import { element } from '../shared/dom.ts';

const OVER: Readonly<Record<string, string>> = { sum: '∑', max: 'max', argmax: 'argmax', min: 'min' };
const SIGNS: readonly [RegExp, string][] = [
  [/<=/g, '≤'],
  [/>=/g, '≥'],
  [/ \* /g, ' · '],
  [/(?<!\bthe )\bsum(?=\s(?!of|over|so))/g, '∑'],
  [/(^|[\s(=])-(?=[\w(])/g, '$1−'],
  [/ - /g, ' − '],
];

/** Typesets a formula: indices in brackets become subscripts, powers superscripts. */
export function formula(text: string): (Node | string)[] {
  const nodes: (Node | string)[] = [];
  let plain = '';
  const flush = () => {
    if (plain) nodes.push(SIGNS.reduce((sum, [from, to]) => sum.replace(from, to), plain));
    plain = '';
  };
  for (let at = 0; at < text.length; ) {
    const rest = text.slice(at);
    const [over, word, below] = /^(sum|max|argmax|min)_(\w+)/.exec(rest) ?? [];
    const [power, exponent] = /^\^(\w+)/.exec(rest) ?? [];
    const [name] = /^[A-Za-z]\w*/.exec(rest) ?? [];
    if (over) {
      flush();
      nodes.push(OVER[word!]!, element('sub', {}, below!));
      at += over.length;
    } else if (power) {
      flush();
      nodes.push(element('sup', {}, exponent!));
      at += power.length;
    } else if (name) {
      at += name.length;
      const indices: string[] = [];
      for (; text[at] === '['; at += indices.at(-1)!.length + 2) indices.push(bracketed(text.slice(at)));
      if (indices.length > 0) {
        flush();
        nodes.push(element('var', {}, name), element('sub', {}, ...formula(indices.join(', '))));
      } else plain += name;
    } else plain += text[at++];
  }
  flush();
  return nodes;
}

/** Returns the content of the bracket that opens a text, or the rest of the text if the bracket does not close. */
function bracketed(text: string): string {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '[') depth++;
    if (text[i] === ']' && --depth === 0) return text.slice(1, i);
  }
  return text.slice(1);
}
