import process from 'node:process';
import { chromium } from 'playwright-core';

// A software adapter that every Chromium brings, so that results do not depend on the machine.
const WEBGPU = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];
// Nothing that asks the network.
const FLAGS = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-quic',
  // Containers may give /dev/shm no room.
  '--disable-dev-shm-usage',
];

// Whoever opens a browser closes it, on a signal too.
const ENDED_HERE = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false };

/** Starts the browser that CHROME_PATH names (set-up finds it), headless, with WebGPU on its software adapter or as it is by itself. */
export async function openBrowser({ webgpu = true } = {}) {
  const executablePath = process.env.CHROME_PATH;
  if (!executablePath) throw new Error('CHROME_PATH names no browser; `npm run test:browser` finds one');
  // Chromium's sandbox refuses to work for root.
  const root = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath, args: [...FLAGS, ...(webgpu ? WEBGPU : []), ...root], ...ENDED_HERE });
}
