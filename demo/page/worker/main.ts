// The worker that trains, so that the page stays responsive.
import { rethrow, workerScope } from '../../shared/workerScope.ts';
import type { Command, Report } from '../protocol.ts';
import { Runner } from './runner.ts';

const scope = workerScope<Command, Report>();
const runner = new Runner((report, transfer) => scope.postMessage(report, transfer));
scope.onmessage = ({ data }) => runner.take(data);
runner.work().catch(rethrow);
