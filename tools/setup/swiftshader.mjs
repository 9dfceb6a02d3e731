// SwiftShader, a software adapter that needs no root. Chromium's build of it is in the npm package @sparticuz/chromium.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { brotliDecompressSync } from 'node:zlib';
import { attempt, Failure, say } from './process.mjs';

const ARCHIVE = 'node_modules/@sparticuz/chromium/bin/swiftshader.tar.br';
export const FOLDER = '.build/swiftshader';
const DRIVER = 'vk_swiftshader_icd.json';
const FILES = ['libvk_swiftshader.so', 'libvulkan.so.1', DRIVER];

// It is about ten times slower than lavapipe, so the time limit of tests is longer.
const TEST_SECONDS = '3000';

/** Unpacks SwiftShader. Throws {@link Failure}. */
export function unpackSwiftShader() {
  say(`no GPU driver that Dawn can use: unpacking SwiftShader (software adapter, no root needed) to ${FOLDER}`);
  unpackTo(FOLDER);
}

export function unpackTo(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const input = brotliDecompressSync(readFileSync(ARCHIVE));
  const failure = attempt('tar', ['-x', '-f', '-', '-C', folder, ...FILES], { input, stdio: ['pipe', 2, 2] });
  if (failure) throw new Failure(failure);
}

/** Returns changes to the environment that select SwiftShader with its own Vulkan loader; undefined if it is not unpacked. */
export function swiftShader(unpacked = FOLDER) {
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
