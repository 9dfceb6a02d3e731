import process from 'node:process';
import { chromium } from 'playwright-core';

// Every Chromium contains this software adapter, so results do not depend on the machine.
const WEBGPU = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];
// Turns off everything that uses the network.
const FLAGS = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-quic',
  // In containers /dev/shm may be too small.
  '--disable-dev-shm-usage',
];

// The program that opens a browser closes it, also after a signal.
const ENDED_HERE = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false };

/** Starts the browser at CHROME_PATH (setup finds it), headless, with WebGPU on its software adapter unless `webgpu` is false. */
export async function openBrowser({ webgpu = true } = {}) {
  const executablePath = process.env.CHROME_PATH;
  if (!executablePath) throw new Error('CHROME_PATH is not set; `npm run test:browser` sets it');
  // Chromium's sandbox does not work for root.
  const root = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath, args: [...FLAGS, ...(webgpu ? WEBGPU : []), ...root], ...ENDED_HERE });
}
