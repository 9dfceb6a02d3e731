// Mesa's lavapipe from the system's own packages.
import { codename, installPackages } from './apt.mjs';

const PACKAGES = ['libvulkan1', 'mesa-vulkan-drivers'];
// Dawn refuses the Mesa (22.3) of this release; its backports have one that works.
const TOO_OLD = 'bookworm';

/** Installs lavapipe, or throws a {@link Failure}. */
export function installLavapipe() {
  installPackages(PACKAGES, {
    why: "no GPU driver that Dawn can use: installing Mesa's software one",
    backportsOf: codename() === TOO_OLD ? TOO_OLD : undefined,
  });
}
