import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { wgsl } from '../browser/bundle.mjs';
import { writeDigits } from './digits.mjs';

const KB = 1024;
const LIMIT = 150 * KB;
const DIGITS_LIMIT = 3 * KB * KB;
const AS_THEY_ARE = ['index.html', 'icon.svg'];
const BUILT = ['main.js', 'style.css', 'worker.js'];

/** Whether a folder holds something, and not a page that was built here before. */
export function isForeign(folder) {
  const kind = statSync(folder, { throwIfNoEntry: false });
  if (!kind?.isDirectory()) return kind !== undefined;
  const names = readdirSync(folder);
  return names.length > 0 && !BUILT.every((name) => names.includes(name));
}

/** Builds the page into a folder that any web server can serve as it is, beside what else is in it; gives its weight, gzipped, and that of the digits. */
export async function buildPage(folder) {
  mkdirSync(folder, { recursive: true });
  const { metafile } = await build({
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    logLevel: 'warning',
    entryPoints: { main: 'demo/main.ts', worker: 'demo/engine/worker.ts', style: 'demo/style.css' },
    outdir: folder,
    plugins: [wgsl],
    metafile: true,
  });
  for (const name of AS_THEY_ARE) cpSync(join('demo', name), join(folder, name));
  writeFileSync(join(folder, 'licenses.txt'), licensesOf(Object.keys(metafile.inputs)));
  const digits = writeDigits(join(folder, 'digits'));
  const weights = [...AS_THEY_ARE, ...BUILT].map(
    (name) => gzipSync(readFileSync(join(folder, name)), { level: 9 }).length,
  );
  return { page: weights.reduce((sum, bytes) => sum + bytes, 0), digits };
}

/** Builds the page and says what it weighs; throws where that is too much. */
export async function buildAndWeigh(folder) {
  const { page, digits } = await buildPage(folder);
  const weight = `page: ${(page / KB).toFixed(1)} KB gzipped (at most ${LIMIT / KB}), digits ${(digits / KB / KB).toFixed(2)} MB (at most ${DIGITS_LIMIT / KB / KB})`;
  process.stderr.write(`${weight}, in ${folder}\n`);
  if (page > LIMIT || digits > DIGITS_LIMIT) throw new Error('page: heavier than its limit, see above');
}

/** The licenses of what a bundle holds, which have to go with it. */
function licensesOf(inputs) {
  const packages = inputs.map((path) => /node_modules\/((@[^/]+\/)?[^/]+)/.exec(path)?.[1]).filter(Boolean);
  const files = [
    ['padagrad', 'LICENSE'],
    ...[...new Set(packages)].map((name) => [name, `node_modules/${name}/LICENSE`]),
  ];
  const digits = readFileSync('NOTICE', 'utf8').trim();
  return [...files.map(([name, file]) => `${name}\n\n${readFileSync(file, 'utf8').trim()}`), digits].join(
    `\n\n${'-'.repeat(80)}\n\n`,
  );
}
