const ADVICE: Readonly<Record<string, string>> = {
  NO_WEBGPU:
    'This page computes with WebGPU, which this browser does not have. Please open it in a current Chrome, Edge, Safari or Firefox; on a phone in Chrome, or in Safari from iOS 26 on.',
  NO_ADAPTER:
    'This browser has WebGPU but finds no graphics adapter for it. Allow graphics acceleration in its settings and update the graphics driver; in Chrome on Linux turn on chrome://flags/#enable-unsafe-webgpu. Then load the page again.',
  GPU_LOST:
    'The GPU was lost three times in a row; another program may be using it up, or its driver is in trouble. “Start over” tries again.',
  INSECURE: 'Browsers give WebGPU only to pages from https or from this machine itself; this one came over plain http.',
};

/** Shows errors that nothing else catches: without it the page would only look alive. */
export function watchErrors(warn: (code: string, text: string) => void): void {
  const show = (error: unknown) =>
    warn('', `This page has a fault: ${error instanceof Error ? error.message : String(error)}. Load it again.`);
  addEventListener('error', ({ error, message }) => show(error ?? message));
  addEventListener('unhandledrejection', ({ reason }) => show(reason));
}

/** What went wrong, and what to do about it, in words for visitors. */
export function adviceOf(code: string, text: string): string {
  if (code === 'NO_WEBGPU' && !isSecureContext) return ADVICE.INSECURE!;
  return ADVICE[code] ?? text;
}
