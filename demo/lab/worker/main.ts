// The worker that runs kernels, so that the page stays responsive and can stop a kernel that never ends.
import { sources } from 'lab:sources';
import { rethrow, workerScope } from '../../shared/workerScope.ts';
import type { Command, Report } from '../protocol.ts';
import { Lab } from './lab.ts';

const scope = workerScope<Command, Report>();
const lab = new Lab((report) => scope.postMessage(report), sources);
let last = Promise.resolve();
scope.onmessage = ({ data }) => {
  if (data.type === 'stop') lab.stop();
  else last = last.then(() => lab.take(data)).catch(rethrow);
};
