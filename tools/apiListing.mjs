// The public API, name by name, out of the sources' own words: `node tools/apiListing.mjs` writes docs/api.md.
import { writeFileSync } from 'node:fs';
import { basename, dirname, relative } from 'node:path';
import process from 'node:process';
import ts from 'typescript-5.9';

export const LISTING = 'docs/api.md';

// What each way into the package is for.
const ENTRIES = {
  padagrad: 'src/index.ts',
  'padagrad/train': 'src/train/index.ts',
};

const TITLES = {
  'src/gpu': 'The GPU',
  src: 'Tensors, gradients, captured steps',
  'src/ops': 'Operations',
  'src/nn': 'Layers',
  'src/optim': 'Optimisers',
  'src/models': 'Networks',
  'src/adaptation': 'Adaptation',
  'src/data': 'Data',
  'src/io': 'Files',
  'src/train': 'Training',
};

/** The listing as Markdown. Throws if a public name has no docstring; options speak for themselves, field by field. */
export function apiListing() {
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile('tsconfig.json', ts.sys.readFile).config,
    ts.sys,
    '.',
  );
  const program = ts.createProgram([...Object.values(ENTRIES), 'src/wgsl.d.ts'], options);
  const checker = program.getTypeChecker();
  const parts = ['# The public API', 'What the package exports, each with the first sentence of its documentation.'];
  const bare = [];
  for (const [name, path] of Object.entries(ENTRIES)) {
    parts.push(`## \`${name}\``);
    const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(path)));
    const entries = exported.map((symbol) => describe(checker, symbol)).sort((a, b) => (a.name < b.name ? -1 : 1));
    bare.push(
      ...entries
        .filter(({ name, text }) => !text && !name.endsWith('Options'))
        .map((entry) => `${entry.name} (${entry.file})`),
    );
    for (const [room, title] of Object.entries(TITLES)) {
      const lines = entries.filter((entry) => dirname(entry.file) === room);
      if (lines.length > 0)
        parts.push(`### ${title}`, lines.map(({ shown, text }) => `- \`${shown}\` ${text}`.trim()).join('\n'));
    }
  }
  if (bare.length > 0) throw new Error(`no docstring: ${bare.join(', ')}`);
  return `${parts.join('\n\n')}\n`;
}

function describe(checker, exported) {
  const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
  const [declaration] = symbol.declarations;
  const name = exported.name;
  const doc = ts.displayPartsToString(symbol.getDocumentationComment(checker));
  const file = relative('.', declaration.getSourceFile().fileName);
  return { name, file, shown: shown(checker, name, symbol, declaration), text: firstSentence(doc) };
}

/** A function with the names of its parameters, others with their kind. */
function shown(checker, name, symbol, declaration) {
  if (symbol.flags & ts.SymbolFlags.Class) return `class ${name}`;
  if (symbol.flags & (ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias)) return `type ${name}`;
  const [signature] = checker.getTypeOfSymbolAtLocation(symbol, declaration).getCallSignatures();
  if (!signature) return `const ${name}`;
  const parameters = signature.parameters.map(({ name: own, valueDeclaration }) =>
    valueDeclaration?.dotDotDotToken ? `...${own}` : valueDeclaration?.name?.getText() === own ? own : 'options',
  );
  return `${name}(${parameters.join(', ')})`;
}

const firstSentence = (doc) =>
  (/^.*?\.(?=\s|$)|^.+/s.exec(doc.trim())?.[0] ?? '').replace(/\{@link (\w+) ?\}/g, '`$1`').replace(/\s+/g, ' ');

// Not where a test has it bundled: what is run there is the test.
if (basename(process.argv[1] ?? '') === 'apiListing.mjs') writeFileSync(LISTING, apiListing());
