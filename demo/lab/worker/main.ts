// The worker in which kernels run, so that the page answers at once, and can end it where a kernel does not.
import { sources } from 'lab:sources';
import type { Command, Report } from '../protocol.ts';
import { Lab } from './lab.ts';

interface Scope {
  postMessage(report: Report): void;
  onmessage: ((event: MessageEvent<Command>) => void) | null;
}

const scope = globalThis as unknown as Scope;
const lab = new Lab((report) => scope.postMessage(report), sources);
let last = Promise.resolve();
// Only an error that is thrown outside of promises reaches the page.
const rethrow = (error: unknown): void => {
  setTimeout(() => {
    throw error;
  });
};
scope.onmessage = ({ data }) => {
  if (data.type === 'stop') lab.interrupt();
  else last = last.then(() => lab.take(data)).catch(rethrow);
};
