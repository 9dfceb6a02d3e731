// The worker in which the trainings run, so that the page answers at once whatever the GPU does.
import type { Command, Report } from '../protocol.ts';
import { Conductor } from './runner.ts';

/** What a dedicated worker's global scope has; the page's own types know only windows. */
interface Scope {
  postMessage(report: Report, transfer: Transferable[]): void;
  onmessage: ((event: MessageEvent<Command>) => void) | null;
}

const scope = globalThis as unknown as Scope;
const conductor = new Conductor((report, transfer = []) => scope.postMessage(report, transfer));
scope.onmessage = ({ data }) => conductor.take(data);
// Only an error that is thrown outside of promises reaches the page.
conductor.run().catch((error) =>
  setTimeout(() => {
    throw error;
  }),
);
