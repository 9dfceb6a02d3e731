// Writes docs/api.md, the list of every public name, from the docstrings of the sources: `node tools/apiListing.mjs`.
// A test compares the file with the sources.
import { writeFileSync } from 'node:fs';
import { basename, dirname, relative } from 'node:path';
import process from 'node:process';
import ts from 'typescript-5.9';

export const LISTING = 'docs/api.md';

// The package's entry points, as package.json exports them.
const ENTRIES = {
  padagrad: 'src/index.ts',
  'padagrad/train': 'src/train/index.ts',
  'padagrad/precision': 'src/gemm/precision.ts',
};

// The headings, by folder of src; '' is src itself.
const TITLES = {
  gpu: 'The GPU',
  '': 'Tensors, gradients, captured steps',
  ops: 'Operations',
  nn: 'Layers',
  optim: 'Optimisers',
  models: 'Networks',
  adaptation: 'Adaptation',
  data: 'Data',
  io: 'Files',
  train: 'Training',
  debug: 'Debugging',
  gemm: 'Matrix multiplication',
  checks: 'Checks',
};

/**
 * Returns the list as Markdown: functions with their parameters, classes with constructor and members, types with their fields.
 * Throws if a public name has no docstring (except option types, whose fields have their own) or no heading.
 */
export function apiListing() {
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile('tsconfig.json', ts.sys.readFile).config,
    ts.sys,
    '.',
  );
  const reader = new Reader(ts.createProgram([...Object.values(ENTRIES), 'shaders/shaders.d.ts'], options));
  const parts = [
    '# The public API',
    'Everything that the package exports, with the first sentence of its documentation. Your editor shows the rest. [In your own program](embedding.md) has programs to start from.',
  ];
  for (const [name, path] of Object.entries(ENTRIES)) {
    parts.push(`## \`${name}\``);
    const entries = reader.exportsOf(path).sort((a, b) => (a.name < b.name ? -1 : 1));
    const bare = entries.filter(({ name, text }) => !text && !name.endsWith('Options'));
    if (bare.length > 0)
      throw new Error(`no docstring: ${bare.map(({ name, file }) => `${name} (${file})`).join(', ')}`);
    const homeless = entries.find(({ file }) => !(folderOf(file) in TITLES));
    if (homeless) throw new Error(`apiListing: TITLES has no heading for ${homeless.file}`);
    for (const [folder, title] of Object.entries(TITLES)) {
      const lines = entries.filter(({ file }) => folderOf(file) === folder).flatMap(linesOf);
      if (lines.length > 0) parts.push(`### ${title}`, lines.join('\n'));
    }
  }
  return `${parts.join('\n\n')}\n`;
}

/** The folder of src that a file belongs to: `data` for src/data/readers/idx.ts. */
const folderOf = (file) => dirname(file).split('/')[1] ?? '';

const linesOf = ({ shown, text, members }) => [
  lineOf('- ', shown, text),
  ...members.map((member) => lineOf('  - ', member.shown, member.text)),
];
const lineOf = (indent, shown, text) => `${indent}\`${shown}\` ${text}`.trimEnd();

const HIDDEN = [ts.SyntaxKind.PrivateKeyword, ts.SyntaxKind.ProtectedKeyword];

/** Reads exports, docstrings and types from the sources. */
class Reader {
  constructor(program) {
    this.program = program;
    this.checker = program.getTypeChecker();
    this.public = new Set(Object.values(ENTRIES).flatMap((path) => this.symbolsOf(path).map(({ symbol }) => symbol)));
  }

  exportsOf(path) {
    return this.symbolsOf(path).map(({ name, symbol }) => {
      const [declaration] = symbol.declarations;
      const file = relative('.', declaration.getSourceFile().fileName);
      return {
        name,
        file,
        text: this.textOf(symbol, sentence),
        members: [],
        ...this.formOf(name, symbol, declaration),
      };
    });
  }

  symbolsOf(path) {
    const exported = this.checker.getExportsOfModule(
      this.checker.getSymbolAtLocation(this.program.getSourceFile(path)),
    );
    return exported.map((symbol) => ({ name: symbol.name, symbol: this.original(symbol) }));
  }

  /** The symbol that an import or export refers to. */
  original(symbol) {
    return symbol.flags & ts.SymbolFlags.Alias ? this.checker.getAliasedSymbol(symbol) : symbol;
  }

  textOf(symbol, part) {
    return oneLine(part(ts.displayPartsToString(symbol.getDocumentationComment(this.checker)).trim()));
  }

  /** How a name is written in the list, and its members. */
  formOf(name, symbol, declaration) {
    if (ts.isClassDeclaration(declaration)) return this.classForm(name, symbol, declaration);
    if (ts.isInterfaceDeclaration(declaration)) return { shown: `type ${name}`, members: this.membersOf(declaration) };
    if (ts.isTypeAliasDeclaration(declaration)) return { shown: `type ${name} = ${compact(declaration.type)}` };
    const [signature] = this.checker.getTypeOfSymbolAtLocation(symbol, declaration).getCallSignatures();
    return { shown: signature ? `${name}${this.called(signature.declaration)}` : `const ${name}` };
  }

  /** A class with its members, and with those of its ancestors up to the first public one. */
  classForm(name, symbol, declaration) {
    const own = [declaration];
    let base = this.baseOf(declaration);
    for (; base && !this.isKnown(base); base = this.baseOf(own.at(-1))) own.push(base.declarations[0]);
    // A member comes before the one that it overrides.
    const all = own.flatMap((one) => this.membersOf(one));
    const members = all.filter(({ name }, i) => all.findIndex((one) => one.name === name) === i);
    const [made] = this.checker.getTypeOfSymbolAtLocation(symbol, declaration).getConstructSignatures();
    const isAbstract = declaration.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.AbstractKeyword);
    if (made && !isAbstract && !(made.declaration && isHidden(made.declaration)))
      members.unshift({
        shown: `new ${name}(${made.declaration ? this.parametersOf(made.declaration) : ''})`,
        text: '',
      });
    return { shown: `class ${name}${base ? ` extends ${base.name}` : ''}`, members };
  }

  baseOf(declaration) {
    const clause = declaration.heritageClauses?.find(({ token }) => token === ts.SyntaxKind.ExtendsKeyword);
    return clause && this.original(this.checker.getSymbolAtLocation(clause.types[0].expression));
  }

  /** Public, or JavaScript's own. */
  isKnown(symbol) {
    return this.public.has(symbol) || this.program.isSourceFileDefaultLibrary(symbol.declarations[0].getSourceFile());
  }

  /** Methods with their parameters, the rest with its type; a setter goes with its getter. */
  membersOf(declaration) {
    const made = declaration.members.find(ts.isConstructorDeclaration)?.parameters ?? [];
    const fields = made.filter((parameter) => ts.isParameterPropertyDeclaration(parameter, parameter.parent));
    return [...fields, ...declaration.members]
      .filter(({ name }) => name && ts.isIdentifier(name))
      .filter((member) => !ts.isSetAccessor(member) && !isHidden(member))
      .map((member) => {
        const name = member.name.text;
        const text = this.textOf(this.checker.getSymbolAtLocation(member.name), paragraph);
        return { name, text, shown: `${name}${member.questionToken ? '?' : ''}${this.afterName(member)}` };
      });
  }

  afterName(member) {
    const isMethod = ts.isMethodDeclaration(member) || ts.isMethodSignature(member);
    return isMethod ? this.called(member) : `: ${this.typeOf(member)}`;
  }

  called(declaration) {
    return `(${this.parametersOf(declaration)})${declaration.type ? `: ${compact(declaration.type)}` : ''}`;
  }

  /** Parameters with their types; a destructured parameter is shown as `options`. */
  parametersOf({ parameters }) {
    return parameters
      .map((parameter) => {
        const { dotDotDotToken, name, questionToken, initializer } = parameter;
        const optional = questionToken || initializer ? '?' : '';
        const own = ts.isIdentifier(name) ? name.text : 'options';
        return `${dotDotDotToken ? '...' : ''}${own}${optional}: ${this.typeOf(parameter)}`;
      })
      .join(', ');
  }

  typeOf(node) {
    return node.type ? compact(node.type) : this.checker.typeToString(this.checker.getTypeAtLocation(node));
  }
}

const isHidden = (node) =>
  node.modifiers?.some(({ kind }) => HIDDEN.includes(kind)) ||
  ts.getJSDocTags(node).some(({ tagName }) => tagName.text === 'internal');

/** A type on one line, without comments. */
const compact = (node) =>
  node
    .getText()
    .replace(/\/\/.*$/gm, '')
    .replace(/\s+/g, ' ')
    .replace(/^\| |(?<=\() |,? (?=\))/g, '');

const sentence = (text) => /^.*?\.(?=\s|$)|^.+/s.exec(text)?.[0] ?? '';
const paragraph = (text) => text.split(/\n\s*\n/)[0];
const oneLine = (text) => text.replace(/\{@link ([\w.]+) ?\}/g, '`$1`').replace(/\s+/g, ' ');

// A test that bundles this file must not write.
if (basename(process.argv[1] ?? '') === 'apiListing.mjs') writeFileSync(LISTING, apiListing());
