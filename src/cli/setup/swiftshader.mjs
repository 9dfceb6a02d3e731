// SwiftShader, a software adapter that needs no root. Chromium's build of it is in the npm package @sparticuz/chromium.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { brotliDecompressSync } from 'node:zlib';
import { attempt, Failure } from './process.mjs';

export const ARCHIVE = 'node_modules/@sparticuz/chromium/bin/swiftshader.tar.br';
const DRIVER = 'vk_swiftshader_icd.json';
const FILES = ['libvk_swiftshader.so', 'libvulkan.so.1', DRIVER];

// It is about ten times slower than lavapipe, so the time limit of tests is longer.
const TEST_SECONDS = '3000';

/** Unpacks SwiftShader to a folder, which has all of it or does not exist. Throws {@link Failure}. */
export function unpackSwiftShader(folder, archive = ARCHIVE) {
  const partial = `${folder}.${process.pid}`;
  mkdirSync(partial, { recursive: true });
  try {
    const input = brotliDecompressSync(readFileSync(archive));
    const failure = attempt('tar', ['-x', '-f', '-', '-C', partial, ...FILES], { input, stdio: ['pipe', 2, 2] });
    if (failure) throw new Failure(failure);
    rmSync(folder, { recursive: true, force: true });
    renameSync(partial, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

/** Returns changes to the environment that select SwiftShader with its own Vulkan loader; undefined if it is not unpacked. */
export function swiftShader(unpacked) {
  const folder = resolve(unpacked);
  const driver = join(folder, DRIVER);
  if (!existsSync(driver)) return undefined;
  const libraries = [folder, process.env.LD_LIBRARY_PATH].filter(Boolean).join(':');
  return {
    LD_LIBRARY_PATH: libraries,
    VK_DRIVER_FILES: driver,
    VK_ICD_FILENAMES: null,
    PADAGRAD_TEST_SECONDS: TEST_SECONDS,
  };
}
