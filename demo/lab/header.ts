/** The header of a kernel's file: the comment before its code. */
export interface Header {
  title: string;
  /** Formulas, each `[label, formula, remark]`, and sentences between them, `[text]`. */
  body: string[][];
  /** The entries `shapes`, `parallel` and `numerics`. */
  notes: [name: string, text: string][];
}

const NOTE = /^(shapes|parallel|numerics)\s+(.*)/;
const LABEL = /^([A-Za-z]\w*(?:, \w+)*)\s{2,}(.*)/;

export function headerOf(text: string): Header {
  const lines = /^(?:\/\/[^\n]*\n)*/
    .exec(text)![0]
    .split('\n')
    .map((line) => line.replace(/^\/\/ ?/, ''));
  const header: Header = { title: '', body: [], notes: [] };
  const { body, notes } = header;
  let titled = false;
  for (const line of lines) {
    const [, name, note] = NOTE.exec(line) ?? [];
    if (name) notes.push([name, note!]);
    else if (notes.length > 0 && line.trim()) notes.at(-1)![1] += ` ${line.trim()}`;
    else if (!line.trim()) titled = header.title !== '';
    else if (!titled) header.title += `${header.title && ' '}${line.trim()}`;
    else if (!line.startsWith('  ')) {
      const last = body.at(-1);
      if (last?.length === 1) last[0] += ` ${line}`;
      else body.push([line]);
    } else {
      const [, label, formula] = LABEL.exec(line.trim()) ?? ['', '', line.trim()];
      // A wide gap separates a remark; a narrower one only aligns formulas.
      const [first, ...remarks] = formula!.split(/\s{4,}|,\s{3}/);
      body.push([label!, first!.replace(/\s{2,}/g, ' '), remarks.join(' ').replace(/\s{2,}/g, ' ')]);
    }
  }
  return header;
}
