import { writeFileSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { createGpu, encodeSafetensors } from 'padagrad';
import { Trainer, pada, train } from 'padagrad/train';
const D = '/work/shared/data/emoji/';
const load = (name) => { const b = gunzipSync(readFileSync(`${D}${name}-images-idx4-ubyte.gz`)); const l = gunzipSync(readFileSync(`${D}${name}-labels-idx1-ubyte.gz`)).subarray(8); const n = b.readUInt32BE(4); return { images: new Uint8Array(b.subarray(16 + 4)), labels: new Uint8Array(l), count: n, channels: 3, height: 32, width: 32 }; };
const gpu = await createGpu({ software: 'allow' });
const seed = Number(process.argv[2]), N = Number(process.argv[3]);
const source = load('twemoji-train'), { labels: _, ...target } = load('noto-train'), test = load('noto-test');
const trainer = await Trainer.create({ gpu, source, target, numClasses: 12, method: pada(), seed });
const first = await trainer.state();
writeFileSync(`/tmp/e15/init${seed}.safetensors`, encodeSafetensors(first.tensors));
const rows = [];
for (let i = 0; i < N; i++) {
  const due = await trainer.step();
  const { tensors } = await trainer.state();
  const at = (s) => { const o = tensors.get(`${s}.order`).data, n = tensors.get(`${s}.next`).data[0]; return [...o.subarray(n - 64, n)]; };
  const [m] = await trainer.metrics();
  rows.push({ i, source: at('source'), target: at('target'), classLoss: m.classLoss, transferLoss: m.transferLoss, ...(due && { w: [...tensors.get('classWeight.weight').data] }) });
}
const { accuracy } = await trainer.evaluate(test);
writeFileSync(`/tmp/e15/run${seed}.json`, JSON.stringify({ rows, accuracy }));
console.log('accuracy', accuracy);
gpu.dispose(); process.exit(0);
