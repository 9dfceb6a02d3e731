// apt's two forms of sources (`man sources.list`), of which the entries of Debian itself are kept, with backports added.

/** The Debian entries of a sources file for a release, with the release's backports; '' if the file has none. */
export function backports(text, form, release) {
  return form === '.sources' ? stanzas(text, release) : lines(text, release);
}

// Other publishers use the release's name too. Debian's entries have the component `main` and name Debian in address or key.
const isDebian = (suites, components, whole, release) =>
  suites.includes(release) && components.includes('main') && /debian/i.test(whole);

/** deb822: stanzas of `Field: value`, with continuation lines, between empty lines. */
function stanzas(text, release) {
  const kept = [];
  for (const stanza of text.split(/\n\s*\n/)) {
    const field = (name) =>
      new RegExp(`^${name}:((?:.*\\n[ \\t])*.*)`, 'im').exec(stanza)?.[1].trim().split(/\s+/) ?? [];
    if (!field('Types').includes('deb') || field('Enabled')[0] === 'no') continue;
    if (!isDebian(field('Suites'), field('Components'), stanza, release)) continue;
    kept.push(
      stanza
        .trim()
        .replace(/^Types:.*$/im, 'Types: deb')
        .replace(/^Suites:(?:.*\n[ \t])*.*$/im, `Suites: ${release} ${release}-backports`),
    );
  }
  return kept.map((stanza) => `${stanza}\n\n`).join('');
}

/** One line an entry: `deb [options] address suite components`. */
function lines(text, release) {
  const kept = [];
  for (const line of text.split('\n')) {
    const [, head, suite, rest] = /^\s*(deb\s+(?:\[[^\]]*\]\s+)?\S+\s+)(\S+)((?:\s+[^\s#]+)*)/.exec(line) ?? [];
    if (!head || !isDebian([suite], rest.trim().split(/\s+/), head, release)) continue;
    kept.push(`${head}${release}${rest}`, `${head}${release}-backports${rest}`);
  }
  return kept.map((line) => `${line}\n`).join('');
}
