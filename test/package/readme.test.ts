import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { installPackage } from './install.ts';

// The README's programs, run as a reader would: with the published package, in a folder of their own.

const readme = readFileSync('README.md', 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'padagrad-readme-'));

/** The code block after `<!-- example: name -->`. */
function example(name: string): string {
  const code = new RegExp(`<!-- example: ${name} -->\n\`\`\`\\w+\n(.*?)\n\`\`\``, 's').exec(readme)?.[1];
  if (!code) throw new Error(`README.md has no example ${name}`);
  return code;
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

test('the XOR example prints what the README says', () => {
  const promised = /It prints\n\n```\n(.*?)\n```/s.exec(readme)?.[1];
  assert.is(printed(example('xor')), promised);
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

test('the training example adapts to images that it is given', () => {
  const expected = ['iteration 100: learnt', 'iteration 200: learnt', 'classes that the target seems to have: 0,1'];
  assert.is(printed(DATA + example('train')), expected.join('\n'));
});

test('every file and script that the README names is there', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  for (const [, name] of readme.matchAll(/^npm (?:run )?([\w:]+)/gm)) assert.ok(scripts[name!], `npm run ${name}`);
  for (const [, path] of readme.matchAll(/\]\(((?!https?:)[^)#]+)\)/g)) assert.ok(readFileSync(path!).length > 0, path);
});

test('the table of adaptation is the one that was measured', () => {
  const { status, stderr } = spawnSync(process.execPath, ['tools/adaptation-table.mjs', '--check'], {
    encoding: 'utf8',
  });
  assert.is(status, 0, stderr);
});

test.run();
