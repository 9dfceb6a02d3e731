import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { installPackage } from './install.ts';

// The files of the published package, as `npm pack` lists them. Needs dist/, which the build makes before the tests run.

const BYTES = 4e6;

const [packed] = JSON.parse(
  execFileSync('npm', ['pack', '--dry-run', '--ignore-scripts', '--json'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    shell: process.platform === 'win32',
  }),
) as { unpackedSize: number; files: { path: string }[] }[];
const shipped = packed!.files.map(({ path }) => path);

test(`the package takes at most ${BYTES / 1e6} MB unpacked`, () => {
  const largest = shipped.sort((a, b) => statSync(b).size - statSync(a).size).slice(0, 5);
  assert.ok(
    packed!.unpackedSize <= BYTES,
    `${packed!.unpackedSize} bytes; the largest files are ${largest.join(', ')}`,
  );
});

test('links between the documents work in the package', () => {
  const documents = shipped.filter((path) => path.endsWith('.md'));
  assert.ok(documents.includes('README.md') && documents.includes('docs/api.md'));
  const broken = documents.flatMap((path) =>
    [...readFileSync(path, 'utf8').matchAll(/\]\(((?!https?:)[^)#]+)/g)]
      .map(([, link]) => posix.join(posix.dirname(path), link!))
      // Pictures are large. Sources stay in the repository.
      .filter((target) => !/\.png$|^(src|shaders|bench|tools)\//.test(target) && !shipped.includes(target))
      .map((target) => `${path}: ${target}`),
  );
  assert.equal(broken, []);
});

test('a program can ask for the version, and every path that package.json names is shipped', () => {
  const folder = mkdtempSync(join(tmpdir(), 'padagrad-files-'));
  try {
    installPackage(folder);
    writeFileSync(join(folder, 'program.cjs'), '');
    const required = createRequire(join(folder, 'program.cjs'))('padagrad/package.json');
    const own = JSON.parse(readFileSync('package.json', 'utf8'));
    assert.is(required.version, own.version);
    const paths = JSON.stringify([own.exports, own.bin]).match(/(?<=")(\.\/)?(dist\/)?[\w/.]+\.\w+(?=")/g)!;
    assert.ok(paths.length > 9);
    // Deno has a WebGPU of its own, so it takes the build for browsers; its conditions include Node's.
    for (const { deno, default: browser, ...rest } of Object.values<Record<string, string>>(own.exports))
      if (browser) assert.equal([deno, Object.keys(rest)], [browser, ['types', 'node']]);
    const missing = paths.filter((path) => !shipped.includes(posix.normalize(path)) || !existsSync(path));
    assert.equal(missing, []);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test.run();
