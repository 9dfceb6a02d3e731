import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { installPackage } from './install.ts';

// The programs of the README and of docs/, run as a reader would: with the published package, in a folder of their own.

const readme = readFileSync('README.md', 'utf8');
const tour = readFileSync('docs/tour.md', 'utf8');
const embedding = readFileSync('docs/embedding.md', 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'padagrad-readme-'));

/** The code block after `<!-- example: name -->`, and the next block, if it is of what the code prints. */
function example(name: string, text = readme): { code: string; promised: string | undefined } {
  const block = '```\\w*\\n(.*?)\\n```';
  const pattern = new RegExp(`<!-- example: ${name} -->\\n${block}(?:\\n\\n(?:It )?prints\\n\\n${block})?`, 's');
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
  ['network', embedding],
  ['pada', embedding],
] as const) {
  test(`the example ${name} prints what is said of it`, () => {
    const { code, promised } = example(name, text);
    assert.ok(promised);
    assert.is(printed(code), promised);
  });
}

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

test('the training example adapts to images that it is given', () => {
  const expected = ['iteration 100: learnt', 'iteration 200: learnt', 'classes that the target seems to have: 0,1'];
  assert.is(printed(DATA + example('train').code), expected.join('\n'));
});

test('every file and script that is named is there', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  const docs = readdirSync('docs').filter((name) => name.endsWith('.md'));
  for (const [place, text] of [
    ['.', readme],
    ...docs.map((name) => ['docs', readFileSync(join('docs', name), 'utf8')] as const),
  ] as const) {
    for (const [, name] of text.matchAll(/(?:^|`)npm (?:run )?([\w:]+)/gm))
      assert.ok(name === 'install' || scripts[name!], `npm run ${name}`);
    for (const [, path] of text.matchAll(/\]\(((?!https?:)[^)#]+)\)/g)) assert.ok(existsSync(join(place, path!)), path);
  }
});

test('what the tour quotes is what the files say', () => {
  const quotes = [...tour.matchAll(/<!-- quote: (\S+) -->\n```\w+\n(.*?)\n```/gs)];
  assert.is(quotes.length, 2);
  for (const [, path, quote] of quotes) {
    const lines = readFileSync(path!, 'utf8').split('\n');
    const missing = quote!.split('\n').filter((line) => !lines.some((own) => own.trim() === line.trim()));
    assert.equal(missing, [], path);
  }
});

test('the table of adaptation is the one that was measured', () => {
  const { status, stderr } = spawnSync(process.execPath, ['tools/adaptation-table.mjs', '--check'], {
    encoding: 'utf8',
  });
  assert.is(status, 0, stderr);
});

test.run();
