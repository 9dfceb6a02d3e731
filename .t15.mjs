import { createGpu, Random } from 'padagrad';
import { Trainer, pada } from 'padagrad/train';
const data = (count, channels, size, classes, seed) => {
  let s = seed; const rnd = () => (s = (Math.imul(s, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  return { images: Uint8Array.from({ length: count * channels * size * size }, () => 256 * rnd()), labels: Uint8Array.from({ length: count }, () => classes * rnd()), count, channels, height: size, width: size };
};
const gpu = await createGpu({ software: 'allow' });
console.error(gpu.info);
const make = (channels, size, classes) => Trainer.create({ gpu, source: data(1800, channels, size, classes, 1), target: data(1000, channels, size, classes, 2), numClasses: classes, method: pada(), batchSize: 64 });
const tasks = [{ name: 'digits', trainer: await make(1, 28, 10), t: [] }, { name: 'colour', trainer: await make(3, 32, 12), t: [] }];
const macs = ([c, s, classes]) => { const a = s - 4, b = a / 2 - 4, f = 32 * (b / 2) ** 2; const conv1 = a * a * 16 * 25 * c; const rest = b * b * 32 * 400 + f * 128 + 128 * classes + 2 * 128 * 128 + 128; return 128 * (2 * conv1 + 3 * rest); };
tasks[0].macs = macs([1, 28, 10]); tasks[1].macs = macs([3, 32, 12]);
const N = Number(process.argv[2] ?? 5);
for (const t of tasks) { for (let i = 0; i < 5; i++) await t.trainer.step(); await gpu.idle(); }
for (let round = 0; round < 25; round++) for (const t of tasks) { const b = process.cpuUsage(); for (let i = 0; i < N; i++) await t.trainer.step(); await gpu.idle(); const c = process.cpuUsage(b); t.t.push((c.user + c.system) / 1000 / N); }
const med = (x) => [...x].sort((a, b) => a - b)[x.length >> 1];
const q = (x, f) => [...x].sort((a, b) => a - b)[Math.floor(x.length * f)];
for (const t of tasks) console.log(t.name, 'median', med(t.t).toFixed(2), 'q10', q(t.t, 0.1).toFixed(2), 'ms; M multiply-adds', (t.macs / 1e6).toFixed(1), 'ps each (median)', (med(t.t) * 1e9 / t.macs).toFixed(1));
const ratios = tasks[1].t.map((x, i) => x / tasks[0].t[i]);
const mr = tasks[1].macs / tasks[0].macs;
console.log('macs ratio', mr.toFixed(3), 'time ratio of medians', (med(tasks[1].t) / med(tasks[0].t)).toFixed(2), 'median of ratios', med(ratios).toFixed(2), 'per mac', (med(ratios) / mr).toFixed(3), 'q10 per mac', (q(tasks[1].t, .1) / q(tasks[0].t, .1) / mr).toFixed(3));
gpu.dispose();
process.exit(0);
