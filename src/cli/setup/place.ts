import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { devDependencies } from '../../../package.json';
import { knownAdapter } from './adapter.mjs';
import { attempt, Failure, npm, say } from './process.mjs';
import { ARCHIVE, swiftShader } from './swiftshader.mjs';

const PACKAGE = '@sparticuz/chromium';

const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'padagrad', 'swiftshader');

/** Where the installed command line keeps SwiftShader: in the user's cache, for all projects. */
export const USER = { folder, withArchive, toLavapipe: `\`rm -r ${folder}; npx padagrad doctor --setup\` as root` };

/** Returns changes to the environment that select an adapter which was set up before. Costs nothing if none was. */
export const adapterSetUp = (): Record<string, string | null> => (swiftShader(folder) ? knownAdapter(USER) : {});

/** Calls `use` with the path of the archive of SwiftShader: the project's, or one that it downloads. @throws Failure */
function withArchive(use: (path: string) => void): void {
  if (existsSync(ARCHIVE)) {
    use(ARCHIVE);
    return;
  }
  const name = `${PACKAGE}@${devDependencies[PACKAGE].replace('^', '')}`;
  const temporary = mkdtempSync(join(tmpdir(), 'padagrad-swiftshader-'));
  try {
    say(`downloading the npm package ${name} (65 MB), of which 3.5 MB are unpacked`);
    const [program = '', ...first] = npm();
    const pack = [...first, 'pack', name, '--pack-destination', temporary, '--loglevel=error'];
    const member = ARCHIVE.replace(`node_modules/${PACKAGE}`, 'package');
    const file = join(temporary, `${name.slice(1).replace(/[/@]/g, '-')}.tgz`);
    const failure = attempt(program, pack) ?? attempt('tar', ['-x', '-z', '-f', file, '-C', temporary, member]);
    if (failure) throw new Failure(failure);
    use(join(temporary, member));
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
