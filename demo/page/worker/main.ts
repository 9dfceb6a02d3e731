// The worker that trains, so that the page stays responsive.
import { openGpu } from '../../shared/openGpu.ts';
import { rethrow, workerScope } from '../../shared/workerScope.ts';
import type { Command, Report } from '../protocol.ts';
import { loadImages } from './images.ts';
import { Runner, type Sources } from './runner.ts';

const scope = workerScope<Command, Report>();
// The page names the worker by the folder that its files are in.
const images: Sources['images'] = (task) => loadImages(task, scope.name);
const runner = new Runner((report, transfer) => scope.postMessage(report, transfer), { images, gpu: openGpu });
scope.onmessage = ({ data }) => runner.take(data);
runner.work().catch(rethrow);
