// Finds an adapter for WebGPU, or installs a software one: Mesa's lavapipe with apt as root, SwiftShader from an npm package. The launcher
// of a clone and `padagrad doctor --setup` differ only in the place for SwiftShader: its `folder`, `withArchive(use)`, which calls `use` with
// the path of its archive, and `toLavapipe`, the command that replaces it.
import process from 'node:process';
import { codename, hasApt, installPackages, isRoot } from './apt.mjs';
import { probe } from './probe.mjs';
import { Failure, say } from './process.mjs';
import { swiftShader, unpackSwiftShader } from './swiftshader.mjs';

/** There is no adapter, and none could be installed. */
export class NoAdapter extends Failure {}

// Changes to the environment that select the system's drivers, whatever drivers the environment names.
const SYSTEM_DRIVERS = { VK_DRIVER_FILES: null, VK_ICD_FILENAMES: null };

// Dawn refuses the Mesa (22.3) of this release; its backports have one that works.
const TOO_OLD = 'bookworm';

const WAYS = { lavapipe: installLavapipe, SwiftShader: installSwiftShader };

/**
 * Returns changes to the environment with which Dawn finds an adapter; installs a software adapter if there is none. Throws
 * {@link NoAdapter}.
 */
export function findAdapter(place) {
  const { broken, changes } = look(place);
  if (broken) throw new NoAdapter(`set-up: the package webgpu (Dawn) could not be loaded: ${broken}`);
  if (changes) return changes;
  const reasons = [];
  for (const way of waysOf(theseFacts())) {
    try {
      WAYS[way](place);
      const { changes } = look(place);
      if (changes) return changes;
      reasons.push(`${way} was installed, but Dawn does not find it`);
    } catch (error) {
      reasons.push(`${way}: ${error.message}`);
    }
    say(`set-up: ${reasons.at(-1)}`);
  }
  throw new NoAdapter(['set-up: no WebGPU adapter found', ...reasons].join('\n  '));
}

/** Returns the same for an adapter that exists already, and no changes if there is none. */
export const knownAdapter = (place) => look(place).changes ?? {};

/** Looks for an adapter in the user's own environment first, then with the system's drivers, then with the unpacked SwiftShader. */
function look({ folder, toLavapipe }) {
  const plain = probe({});
  if (plain.adapter) return { changes: {} };
  if (plain.broken) return plain;
  const named = process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES;
  if (named && probe(SYSTEM_DRIVERS).adapter) {
    say(
      `VK_DRIVER_FILES or VK_ICD_FILENAMES is ${named}, which has no usable adapter; using the system's drivers instead`,
    );
    return { changes: SYSTEM_DRIVERS };
  }
  const unpacked = swiftShader(folder);
  if (!unpacked || !probe(unpacked).adapter) return {};
  say(`using SwiftShader, about ten times slower than Mesa's lavapipe (to install lavapipe, run ${toLavapipe})`);
  return { changes: unpacked };
}

/** Lists the ways to a software adapter that may work on a machine, best first. */
export function waysOf({ platform, arch, root, apt }) {
  const ways = [];
  if (platform === 'linux' && root && apt) ways.push('lavapipe');
  if (platform === 'linux' && arch === 'x64') ways.push('SwiftShader');
  return ways;
}

function theseFacts() {
  const { platform, arch } = process;
  return { platform, arch, root: isRoot(), apt: hasApt() };
}

function installSwiftShader({ folder, withArchive }) {
  say(`no GPU driver that Dawn can use: unpacking SwiftShader (software adapter, no root needed) to ${folder}`);
  withArchive((path) => unpackSwiftShader(folder, path));
}

function installLavapipe() {
  installPackages(['libvulkan1', 'mesa-vulkan-drivers'], {
    why: "no GPU driver that Dawn can use: installing Mesa's software driver",
    backportsOf: codename() === TOO_OLD ? TOO_OLD : undefined,
  });
}
