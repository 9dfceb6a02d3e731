#!/usr/bin/env bash
# Compiles the project's kernels for real GPUs, without one. Run it in the project's root, after `npm run setup`:
#
#   bash tools/gpu-compile/run.sh [FAMILY ...]        # navi31 navi21 vega10 gfx1200 by default; also dg2, tgl, ...
#
# What it is and how to read it is in README.md beside it.
set -euo pipefail
tool=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$PWD/.build/gpu-compile
fail() { echo "gpu-compile: $*" >&2; exit 1; }

[ -d node_modules/webgpu ] && [ -d shaders ] || fail "run this in the project's root, after \`npm run setup\`"
mkdir -p "$build"

# Headers of the system, or else unpacked beside what is built, without root: installed they may conflict with newer drivers.
headers() { # FILE PACKAGE
  [ -f "/usr/include/$1" ] || [ -f "$build/root/usr/include/$1" ] && return
  mkdir -p "$build/root"
  (cd "$build/root" && apt-get -qq download "$2" 2>/dev/null && dpkg -x "$2"_*.deb . && rm "$2"_*.deb) ||
    fail "needs $1: apt-get install $2"
}
include=$build/root/usr/include
compile() { # SOURCE LIBRARY VISIBILITY
  "${CC:-gcc}" -O1 -Wall -fPIC -shared -fvisibility="$3" -I"$include" -I"$include/libdrm" -I/usr/include/libdrm "$tool/$1" -o "$build/$2" ||
    fail "$1 does not compile; needs a C compiler: apt-get install gcc"
}
if [ "$tool/layer.c" -nt "$build/libgpu_compile.so" ]; then
  headers vulkan/vk_layer.h libvulkan-dev
  compile layer.c libgpu_compile.so hidden
fi
cp "$tool/layer.json" "$build/"
node "$tool/bundle.mjs" "$build/kernels.mjs"

driver() {
  for folder in /usr/share/vulkan/icd.d /usr/local/share/vulkan/icd.d /etc/vulkan/icd.d; do
    for file in "$folder/$1_icd.json" "$folder/$1_icd".*.json; do [ -f "$file" ] && { echo "$file"; return; }; done
  done
  fail "Mesa's driver $1 is not installed: apt-get install mesa-vulkan-drivers (tried: Mesa 25.0; Dawn refuses 22.3)"
}

families=("$@")
[ $# -gt 0 ] || families=(navi31 navi21 vega10 gfx1200)

made=()
for family in "${families[@]}"; do
  out=$build/$family${GPU_COMPILE_SUBGROUP:+-$GPU_COMPILE_SUBGROUP}
  rm -rf "$out"
  mkdir -p "$out"
  settings=(GPU_COMPILE_OUT="$out" VK_LAYER_PATH="$build" VK_INSTANCE_LAYERS=VK_LAYER_gpu_compile MESA_SHADER_CACHE_DISABLE=1)
  case $family in
    tgl | adl | dg2 | mtl)
      if [ "$tool/intelShim.c" -nt "$build/libintel_shim.so" ]; then
        headers libdrm/i915_drm.h libdrm-dev
        compile intelShim.c libintel_shim.so default
      fi
      icd=$(driver intel)
      settings+=(VK_DRIVER_FILES="$icd" GPU_COMPILE_INTEL="$family" LD_PRELOAD="$build/libintel_shim.so")
      ;;
    *)
      icd=$(driver radeon)
      settings+=(VK_DRIVER_FILES="$icd" RADV_FORCE_FAMILY="$family")
      ;;
  esac
  echo "gpu-compile: $family" >&2
  env "${settings[@]}" timeout "${GPU_COMPILE_SECONDS:-900}" nice node --enable-source-maps "$build/kernels.mjs" 2>"$out/errors.txt" ||
    {
      grep -v -E 'invalid pci bus info|not a recognized processor' "$out/errors.txt" >&2 || true
      echo "gpu-compile: $family: some or all did not compile, see above" >&2
    }
  [ -s "$out/log.jsonl" ] && made+=("$out")
done
[ ${#made[@]} -gt 0 ] || exit 1
node "$tool/report.mjs" "${made[@]}"
