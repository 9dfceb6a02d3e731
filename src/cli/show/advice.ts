// How to make WebGPU work on a machine, for `padagrad doctor`.
import { existsSync, readFileSync } from 'node:fs';

/** The properties of a machine that the advice depends on. */
export interface Machine {
  platform: string;
  arch: string;
  /** `ID` and `ID_LIKE` of /etc/os-release. */
  distribution: readonly string[];
  /** `VERSION_ID` of /etc/os-release. */
  release: string;
  /** True if NVIDIA's kernel driver is loaded. */
  nvidia: boolean;
  container: boolean;
  /** VK_DRIVER_FILES or VK_ICD_FILENAMES, which replace the system's drivers. */
  driverFiles: string | undefined;
}

/** Returns the properties of this machine. */
export function thisMachine(): Machine {
  const release = osRelease();
  return {
    platform: process.platform,
    arch: process.arch,
    distribution: `${release.ID ?? ''} ${release.ID_LIKE ?? ''}`.split(' ').filter(Boolean),
    release: release.VERSION_ID ?? '',
    nvidia: existsSync('/proc/driver/nvidia/version'),
    container: existsSync('/.dockerenv') || existsSync('/run/.containerenv'),
    driverFiles: process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES,
  };
}

function osRelease(): Record<string, string | undefined> {
  try {
    const lines = readFileSync('/etc/os-release', 'utf8').matchAll(/^(\w+)="?([^"\n]*)"?$/gm);
    return Object.fromEntries([...lines].map(([, name, value]) => [name!, value!]));
  } catch {
    // Only Linux has the file.
    return {};
  }
}

/** Returns how to correct a failure with this code, most likely first. */
export function adviceFor(code: string, machine: Machine): string[] {
  if (code === 'NO_WEBGPU') return [webgpuAdvice(machine)];
  if (code === 'NO_ADAPTER') return adapterAdvice(machine);
  return ['update the graphics driver, or report this with the output of `padagrad doctor --json`'];
}

const ALPINE = 'Dawn needs glibc, which Alpine does not have: use an image such as node:22-bookworm';

function webgpuAdvice({ platform, arch, distribution }: Machine): string {
  if (distribution.includes('alpine')) return ALPINE;
  return `run \`npm install webgpu\` (Dawn for Node, 130 MB; it has builds for Linux and Windows on x64 and arm64, and for macOS; this is ${platform} on ${arch})`;
}

const INSTALL: readonly [ids: readonly string[], command: string][] = [
  [['debian', 'ubuntu'], 'sudo apt-get install -y libvulkan1 mesa-vulkan-drivers'],
  [['fedora', 'rhel', 'centos'], 'sudo dnf install -y vulkan-loader mesa-vulkan-drivers'],
  [['arch'], 'sudo pacman -S vulkan-icd-loader vulkan-swrast'],
  [['suse', 'opensuse'], 'sudo zypper install libvulkan1 libvulkan_lvp'],
];

function adapterAdvice({ platform, distribution, release, nvidia, container, driverFiles }: Machine): string[] {
  if (platform === 'darwin')
    return ['Metal is part of macOS: update to macOS 12 or later; in a virtual machine, give it a GPU'];
  if (platform === 'win32')
    return ["install the GPU vendor's current driver: Dawn needs Direct3D 12, which Windows 10 and later have"];
  if (platform !== 'linux') return [`Dawn has no build for ${platform}; use Linux, macOS or Windows`];
  const advice: string[] = [];
  if (driverFiles)
    advice.push(
      `VK_DRIVER_FILES or VK_ICD_FILENAMES is set to ${driverFiles}: check that these files exist, or unset it to use the system's drivers`,
    );
  if (nvidia)
    advice.push(
      container
        ? 'the NVIDIA driver is installed, but not its Vulkan library: start the container with -e NVIDIA_DRIVER_CAPABILITIES=all'
        : 'the NVIDIA driver is installed, but not its Vulkan library: install the package that has nvidia_icd.json (libnvidia-gl on Debian and Ubuntu, nvidia-driver-cuda-libs or nvidia-utils elsewhere)',
    );
  if (distribution.includes('alpine')) return [...advice, ALPINE];
  const command = INSTALL.find(([ids]) => ids.some((id) => distribution.includes(id)))?.[1];
  if (distribution.includes('debian') && release === '12')
    advice.push(
      "Debian 12's own Mesa is too old: add bookworm-backports and run `sudo apt-get install -y -t bookworm-backports libvulkan1 mesa-vulkan-drivers`",
    );
  else if (command) advice.push(`run \`${command}\` (installs AMD and Intel drivers and a software adapter)`);
  else advice.push("install the Vulkan loader and Mesa's Vulkan drivers (which include lavapipe, a software adapter)");
  return [
    ...advice,
    'or run `npx padagrad doctor --setup`, which installs a software adapter (in a clone, `npm run setup`)',
  ];
}
