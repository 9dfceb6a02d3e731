/** What a machine is, as far as advice depends on it. */
export interface Machine {
  platform: string;
  arch: string;
  /** `ID` and `ID_LIKE` of /etc/os-release. */
  distribution: readonly string[];
  /** `VERSION_ID` of /etc/os-release. */
  release: string;
  /** True where NVIDIA's kernel driver is loaded. */
  nvidia: boolean;
  container: boolean;
  /** VK_DRIVER_FILES or VK_ICD_FILENAMES, which replace the drivers that the system has. */
  driverFiles: string | undefined;
}

const INSTALL: readonly [ids: readonly string[], command: string][] = [
  [['debian', 'ubuntu'], 'sudo apt-get install -y libvulkan1 mesa-vulkan-drivers'],
  [['fedora', 'rhel', 'centos'], 'sudo dnf install -y vulkan-loader mesa-vulkan-drivers'],
  [['arch'], 'sudo pacman -S vulkan-icd-loader vulkan-swrast'],
  [['suse', 'opensuse'], 'sudo zypper install libvulkan1 libvulkan_lvp'],
];

/** What to do where no adapter was found, most likely first. */
export function adapterAdvice(machine: Machine): string[] {
  const { platform, distribution, release, nvidia, container, driverFiles } = machine;
  if (platform === 'darwin')
    return ['Metal is part of macOS: update to macOS 12 or later; in a virtual machine, give it a GPU'];
  if (platform === 'win32')
    return [
      "install the graphics card maker's current driver: Dawn needs Direct3D 12, which Windows 10 and later have",
    ];
  if (platform !== 'linux') return [`Dawn has no build for ${platform}; use Linux, macOS or Windows`];
  const advice: string[] = [];
  if (driverFiles)
    advice.push(
      `VK_DRIVER_FILES or VK_ICD_FILENAMES is set to ${driverFiles}: check that these files exist, or unset it to use the system's drivers`,
    );
  if (nvidia) {
    advice.push(
      container
        ? "NVIDIA's driver is there, but not its Vulkan part: start the container with -e NVIDIA_DRIVER_CAPABILITIES=all"
        : "NVIDIA's kernel driver is loaded, but its Vulkan part is missing: install the package that has nvidia_icd.json (libnvidia-gl on Debian and Ubuntu, nvidia-driver-cuda-libs or nvidia-utils elsewhere)",
    );
  }
  if (distribution.includes('alpine'))
    return [...advice, "Dawn's build needs glibc, which Alpine has not: use an image such as node:22-bookworm"];
  const command = INSTALL.find(([ids]) => ids.some((id) => distribution.includes(id)))?.[1];
  if (distribution.includes('debian') && release === '12') {
    advice.push(
      "Debian 12's own Mesa is too old: add bookworm-backports and run `sudo apt-get install -y -t bookworm-backports libvulkan1 mesa-vulkan-drivers`",
    );
  } else if (command) {
    advice.push(`run \`${command}\` (drivers of AMD and Intel GPUs, and a software one)`);
  } else {
    advice.push("install the Vulkan loader and Mesa's Vulkan drivers (they have a software one, lavapipe)");
  }
  return [...advice, 'or, in a clone of the repository, run `npm start`: it sets a software adapter up by itself'];
}

/** What to do where Dawn itself does not load. */
export function webgpuAdvice({ platform, arch, distribution }: Machine): string[] {
  if (distribution.includes('alpine'))
    return ["Dawn's build needs glibc, which Alpine has not: use an image such as node:22-bookworm"];
  return [
    `run \`npm install webgpu\` (Dawn for Node, 130 MB; it has builds for Linux and Windows on x64 and arm64, and for macOS; this is ${platform} on ${arch})`,
  ];
}
