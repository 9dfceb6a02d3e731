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
for (const t of tasks) {
  const profile = await gpu.profile(async () => { for (let i = 0; i < 12; i++) await t.trainer.step(); });
  console.log(t.name, profile.clock);
  const by = new Map();
  if (t.name==='digits') console.log(Object.keys(profile), profile.events?.[0] ?? profile.rows?.[0]);
  for (const e of profile.events ?? []) { const k = e.kernel ?? e.label ?? e.name; const v = by.get(k) ?? []; v.push(e.seconds ?? e.ms); by.set(k, v); }
  for (const [k, v] of by) console.log(k, v.length);
  for (const r of profile.rows ?? []) console.log(JSON.stringify(r).slice(0, 300));
}
gpu.dispose(); process.exit(0);
