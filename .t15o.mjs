import { writeFileSync, readFileSync, existsSync } from 'node:fs';
import { decodeSafetensors, Random } from 'padagrad';
const seed = process.argv[2];
const { tensors } = decodeSafetensors(new Uint8Array(readFileSync(`/tmp/e15/init${seed}.safetensors`)));
const orders = (s) => { let order = tensors.get(`${s}.order`).data; const r = new Random(0); r.state = Uint32Array.from(tensors.get(`${s}.random`).data); let next = tensors.get(`${s}.next`).data[0]; const out = []; for (let i = 0; i < 1500; i++) { if (next + 64 > order.length) { order = r.permutation(order.length); next = 0; } out.push([...order.subarray(next, next + 64)]); next += 64; } return out; };
const [a, b] = [orders('source'), orders('target')];
if (existsSync(`/tmp/e15/run${seed}.json`)) { const { rows } = JSON.parse(readFileSync(`/tmp/e15/run${seed}.json`)); console.log('same order', rows.every((r, i) => String(r.source) === String(a[i]) && String(r.target) === String(b[i]))); }
writeFileSync(`/tmp/e15/order${seed}.json`, JSON.stringify({ source: a, target: b }));
console.log([...tensors.keys()].join(' '));
process.exit(0);
