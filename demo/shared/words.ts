// Texts that both the page and the lab show.
import type { AdapterInfo } from '../../src/gpu/device.ts';

/** What to do about an error, by its code. */
export const ADVICE: Readonly<Record<string, string>> = {
  NO_WEBGPU:
    'This browser does not support WebGPU. Use a current Chrome or Edge. Firefox and Safari may work too: Firefox was tested on Linux with WebGPU turned on, Safari was not tested.',
  NO_ADAPTER:
    'Your browser supports WebGPU but found no GPU. Turn on hardware acceleration in its settings and update the graphics driver. In Chrome on Linux, turn on chrome://flags/#enable-unsafe-webgpu. Then reload.',
  GPU_LOST:
    'The GPU device was lost three times in a row. Another program may be using too much of it, or the driver may have crashed. Press Restart to try again.',
  INSECURE: 'WebGPU needs https or localhost; this page was loaded over http.',
};

export const pageError = (message: string): string => `This page has an error: ${message}. Reload it.`;

export const UNKNOWN_ERROR = 'it did not load';
export const LINK_COPIED = 'Link copied.';
export const LINK_NOT_COPIED = 'Could not copy; use the link in the address bar.';

const ADAPTER = { none: 'no GPU', awaited: 'looking for a GPU', unnamed: 'unnamed adapter' };

/** Returns an adapter's name without versions; undefined means that none was found yet, null that there is none. */
export function adapterName(info: AdapterInfo | null | undefined): string {
  if (!info) return info === null ? ADAPTER.none : ADAPTER.awaited;
  const { description, device, architecture, vendor } = info;
  const parts = [vendor, architecture].filter(Boolean).join(' ');
  return (description || device || parts).replace(/[:(].*/, '').trim() || ADAPTER.unnamed;
}

export const count = (n: number): string => n.toLocaleString('en');
