import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Installs the package as it would be published into a folder's node_modules. Needs dist/, which the build makes. */
export function installPackage(folder: string): void {
  if (!existsSync('dist/types/index.d.ts')) throw new Error('dist/ is missing; run `npm run build`');
  const installed = join(folder, 'node_modules', 'padagrad');
  mkdirSync(installed, { recursive: true });
  const {
    imports: _,
    scripts: __,
    devDependencies: ___,
    ...published
  } = JSON.parse(readFileSync('package.json', 'utf8'));
  writeFileSync(join(installed, 'package.json'), JSON.stringify(published));
  for (const path of published.files.filter(existsSync)) cpSync(path, join(installed, path), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
}
