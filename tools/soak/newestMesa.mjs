// Runs programs with the newest Mesa of Debian, whose LLVM is much newer than that of a stable release. Its packages are unpacked to
// .build/newest-mesa/. A program that uses them sees them over /usr, in a mount namespace of its own, so that it also gets their C
// library. Nothing is installed, and other programs see nothing of it.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { codename, hasApt, isRoot, sourcesWith } from '../../src/cli/setup/apt.mjs';
import { attempt, Failure, say } from '../../src/cli/setup/process.mjs';

const SUITE = 'sid';
const PACKAGES = ['mesa-vulkan-drivers', 'libvulkan1', 'libstdc++6'];
const FOLDER = resolve('.build/newest-mesa');

/** Returns why this machine cannot do it; undefined if it can. */
export function missing() {
  if (!isRoot() || !hasApt()) return 'it takes root on Debian';
  const { status } = spawnSync('unshare', ['--mount', 'true']);
  return status === 0 ? undefined : 'mount namespaces are not allowed here';
}

/** Returns the program and the first arguments that run a command with the newest Mesa. Downloads it first. */
export function newestMesa() {
  if (!existsSync(FOLDER)) unpack();
  const mount = `mount -t overlay overlay -o lowerdir=${FOLDER}/usr:/usr /usr && exec "$@"`;
  return ['unshare', '--mount', 'sh', '-c', mount, 'sh'];
}

function unpack() {
  const partial = `${FOLDER}.partial`;
  rmSync(partial, { recursive: true, force: true });
  for (const name of ['lists/partial', 'cache/archives/partial', 'sources'])
    mkdirSync(join(partial, name), { recursive: true });
  // With no package installed, apt also downloads what they depend on.
  writeFileSync(join(partial, 'status'), '');
  for (const [name, text] of sourcesWith(codename(), [SUITE])) writeFileSync(join(partial, 'sources', name), text);
  const settings = {
    'Dir::State::Lists': join(partial, 'lists'),
    'Dir::State::Status': join(partial, 'status'),
    'Dir::Cache': join(partial, 'cache'),
    'Dir::Etc::SourceList': '/dev/null',
    'Dir::Etc::SourceParts': join(partial, 'sources'),
    'APT::Sandbox::User': 'root',
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const run = (program, ...args) => {
    const failure = attempt(program, args);
    if (failure) throw new Failure(failure);
  };
  say(`soak: downloading Mesa and what it needs from Debian ${SUITE} to ${FOLDER}`);
  run('apt-get', 'update', '-qq', ...options);
  run('apt-get', 'install', '--download-only', '--no-install-recommends', '--yes', '-qq', ...options, ...PACKAGES);
  const archives = join(partial, 'cache/archives');
  for (const name of readdirSync(archives).filter((one) => one.endsWith('.deb')))
    run('dpkg-deb', '--extract', join(archives, name), join(partial, 'root'));
  renameSync(join(partial, 'root'), FOLDER);
  rmSync(partial, { recursive: true });
}
