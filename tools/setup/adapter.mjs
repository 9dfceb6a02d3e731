import process from 'node:process';
import { hasApt, isRoot } from './apt.mjs';
import { installLavapipe } from './lavapipe.mjs';
import { probe } from './probe.mjs';
import { Failure, say } from './process.mjs';
import { FOLDER, swiftShader, unpackSwiftShader } from './swiftshader.mjs';

/** Nothing here to compute on, and nothing that set-up could bring. */
export class NoAdapter extends Failure {}

// As changes to the environment: the drivers of the system, whatever the user's own environment names.
const SYSTEM_DRIVERS = { VK_DRIVER_FILES: null, VK_ICD_FILENAMES: null };

const WAYS = { lavapipe: installLavapipe, SwiftShader: unpackSwiftShader };

/** Changes to the environment in which Dawn finds an adapter; sets a software one up where there is none. */
export function findAdapter() {
  const { broken, changes } = look();
  if (broken) throw new NoAdapter(`set-up: the package webgpu (Dawn) could not be loaded: ${broken}`);
  if (changes) return changes;
  const reasons = [];
  for (const way of waysOf(theseFacts())) {
    try {
      WAYS[way]();
      const { changes } = look();
      if (changes) return changes;
      reasons.push(`${way} was set up, but Dawn does not see it`);
    } catch (error) {
      reasons.push(`${way}: ${error.message}`);
    }
    say(`set-up: ${reasons.at(-1)}`);
  }
  throw new NoAdapter(['set-up: WebGPU finds no adapter, neither a GPU nor a software one', ...reasons].join('\n  '));
}

/** The same, where an adapter is there already; no changes where none is. */
export const knownAdapter = () => look().changes ?? {};

/** Looks for an adapter in the user's own environment first, then with the system's drivers, then with what set-up unpacked. */
function look() {
  const plain = probe({});
  if (plain.adapter) return { changes: {} };
  if (plain.broken) return plain;
  const named = process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES;
  if (named && probe(SYSTEM_DRIVERS).adapter) {
    say(
      `VK_DRIVER_FILES or VK_ICD_FILENAMES is set to ${named}, where Dawn sees no adapter: using the system's drivers instead`,
    );
    return { changes: SYSTEM_DRIVERS };
  }
  const unpacked = swiftShader();
  if (!unpacked || !probe(unpacked).adapter) return {};
  say(
    `computing on SwiftShader, about ten times slower than Mesa's lavapipe (which \`rm -r ${FOLDER}; npm run setup\` tries for as root)`,
  );
  return { changes: unpacked };
}

/** Ways to a software adapter that may work on such a machine, best first. */
export function waysOf({ platform, arch, root, apt }) {
  const ways = [];
  if (platform === 'linux' && root && apt) ways.push('lavapipe');
  if (platform === 'linux' && arch === 'x64') ways.push('SwiftShader');
  return ways;
}

function theseFacts() {
  const { platform, arch } = process;
  return {
    platform,
    arch,
    root: isRoot(),
    apt: hasApt(),
  };
}
