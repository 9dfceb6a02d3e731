import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { installPackage } from './install.ts';

// Runs the programs of the README and of docs/ as a reader would: with the published package, in their own folder. Also checks
// what the documents name, link, quote and show in tables.

const readme = readFileSync('README.md', 'utf8');
const tour = readFileSync('docs/tour.md', 'utf8');
const embedding = readFileSync('docs/embedding.md', 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'padagrad-readme-'));

/** The README and all documents. */
const documents = (): string[] => [
  'README.md',
  ...['docs', 'docs/log'].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  ),
];

/** The code block after `<!-- example: name -->`, and the next block if one line of text stands between: what the code prints. */
function example(name: string, text = readme): { code: string; promised: string | undefined } {
  const block = '```\\w*\\n(.*?)\\n```';
  const pattern = new RegExp(`<!-- example: ${name} -->\\n${block}(?:\\n\\n[^\\n]+\\n\\n${block})?`, 's');
  const [, code, promised] = pattern.exec(text) ?? [];
  if (!code) throw new Error(`there is no example ${name}`);
  return { code, promised };
}

function printed(program: string): string {
  writeFileSync(join(folder, 'program.mjs'), program);
  const { stdout, stderr, status } = spawnSync(process.execPath, ['program.mjs'], { cwd: folder, encoding: 'utf8' });
  assert.is(status, 0, stderr);
  return stdout.trim();
}

test.before(() => {
  installPackage(folder);
  symlinkSync(resolve('node_modules/webgpu'), join(folder, 'node_modules/webgpu'), 'junction');
});
test.after(() => rmSync(folder, { recursive: true, force: true }));

for (const [name, text] of [
  ['xor', readme],
  ['softmax', tour],
  ['step', tour],
  ['sums', tour],
  ['temperature', tour],
  ['network', embedding],
  ['pada', embedding],
] as const) {
  test(`the example ${name} prints what the document shows`, () => {
    const { code, promised } = example(name, text);
    assert.ok(promised);
    assert.is(printed(code), promised);
  });
}

test('the captured step prints what the plain one does', () => {
  const { code, promised } = example('xor');
  const [setup] = code.split('\nfor (');
  const program = `${setup!.replace('{ backward', '{ capture, backward')}\n${example('captured').code}\ngpu.dispose();`;
  assert.is(printed(program), promised);
});

// Images with a bright stripe for each of four classes; the target has two of them.
const DATA = `
const stripes = (count, classes, brightness) => {
  const images = new Uint8Array(count * 256);
  const labels = Uint8Array.from({ length: count }, (_, i) => i % classes);
  labels.forEach((label, i) => {
    for (let y = 0; y < 16; y++) images.fill(brightness - (i % 7), (i * 16 + y) * 16 + 4 * label, (i * 16 + y) * 16 + 4 * label + 3);
  });
  return { images, labels, count, height: 16, width: 16 };
};
const source = stripes(200, 4, 250);
const { labels: _, ...target } = stripes(100, 2, 180);
`;

test('the training example adapts to the images that it gets', () => {
  const expected = 'the target seems to contain the classes 0,1\nits first images are 0,1,0,1,0';
  assert.is(printed(DATA + example('train').code), expected);
  assert.is(printed(DATA + example('model', embedding).code), '0,1,0,1,0');
});

test('every file and script that a document names exists', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  for (const path of documents()) {
    const text = readFileSync(path, 'utf8');
    for (const [, name] of text.matchAll(/(?:^|`)npm (?:run )?([\w:-]+)/gm))
      assert.ok(name === 'install' || scripts[name!], `${path}: npm run ${name}`);
    for (const [, link] of text.matchAll(/\]\(((?!https?:)[^)#]+)/g))
      assert.ok(existsSync(join(dirname(path), link!)), `${path}: ${link}`);
    // A log names files of its day.
    if (path.startsWith('docs/log')) continue;
    for (const [, named] of text.matchAll(/`((?:src|shaders|reference|test|bench|demo|tools|docs)\/[\w./-]+)`/g))
      assert.ok(existsSync(named!) || named!.includes('square'), `${path}: ${named}`);
  }
});

test('a link to a heading finds it', () => {
  const anchorsOf = (text: string) =>
    [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
      heading!
        .toLowerCase()
        .replace(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
    );
  for (const path of documents()) {
    const text = readFileSync(path, 'utf8');
    for (const [, file, anchor] of text.matchAll(/\]\(((?!https?:)[^)#]*)#([^)]+)\)/g)) {
      const target = file ? readFileSync(join(dirname(path), file), 'utf8') : text;
      assert.ok(anchorsOf(target).includes(anchor!), `${path}: ${file}#${anchor}`);
    }
  }
});

test('the map shows every folder of src, and nothing that is not there', () => {
  const [, map] = /<!-- map -->\n```\n(.*?)\n```/s.exec(readme) ?? [];
  const shown = map!.split('\n').flatMap((line) => {
    const [, indent, names] = /^( *)((?:\w+\/ ?)+)/.exec(line)!;
    return names!.match(/\w+/g)!.map((name) => (indent ? `src/${name}` : name));
  });
  for (const path of shown) assert.ok(existsSync(path), path);
  const folders = readdirSync('src', { withFileTypes: true }).filter((entry) => entry.isDirectory());
  assert.equal(
    folders.map(({ name }) => `src/${name}`).filter((path) => !shown.includes(path)),
    [],
  );
});

test('the tour quotes files as they are', () => {
  const quotes = [...tour.matchAll(/<!-- quote: (\S+) -->\n```\w+\n(.*?)\n```/gs)];
  assert.ok(quotes.length > 0);
  for (const [, path, quote] of quotes) {
    const lines = readFileSync(path!, 'utf8').split('\n');
    const missing = quote!.split('\n').filter((line) => !lines.some((own) => own.trim() === line.trim()));
    assert.equal(missing, [], path);
  }
});

test('every table of measurements is what its recording gives', () => {
  const { status, stderr } = spawnSync(process.execPath, ['tools/figures.mjs', '--check'], { encoding: 'utf8' });
  assert.is(status, 0, stderr);
});

test.run();
