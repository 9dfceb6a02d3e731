// PyTorch, in a Python of its own: pytorch.py does the work. `torch` runs it eagerly, `torch-graphs` as one CUDA graph. The variable
// PYTHON may name another Python than `python3`.
import { spawn } from 'node:child_process';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('pytorch.py', import.meta.url));
const TYPES = { Float32Array: 'f32', Uint32Array: 'i32', Uint8Array: 'u8' };

export const openEager = () => open('torch', false);
export const openGraphs = () => open('torch-graphs', true);

async function open(name, graphs) {
  const { PYTHON = 'python3' } = process.env;
  const child = spawn(PYTHON, [PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] });
  const failed = new Promise((_, reject) => {
    child.once('error', () =>
      reject(new Error(`${name} needs ${PYTHON}; the variable PYTHON may name another Python`)),
    );
    child.once('exit', (code) =>
      reject(new Error(`${name}: ${PYTHON} ended with ${code}; it needs the package torch`)),
    );
  });
  failed.catch(() => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await Promise.race([lines.next(), failed])).value ?? (await failed));
  const ask = (question) => {
    child.stdin.write(`${JSON.stringify(question)}\n`);
    return next();
  };
  const { version, cuda } = await next();
  if (graphs && !cuda) throw new Error('torch-graphs needs a GPU with CUDA');
  const kernel = `PyTorch ${version} on ${cuda ? 'CUDA' : 'the CPU'}`;
  return { name, prepare: (task) => prepare(ask, { task, graphs, kernel }), dispose: () => child.stdin.end() };
}

async function prepare(ask, { task: { bench, settings = {}, inputs }, graphs, kernel }) {
  const sent = Object.entries(inputs).map(([name, { shape, data }]) => [
    name,
    { shape, type: TYPES[data.constructor.name], data: base64(data) },
  ]);
  await ask({ prepare: { bench, settings, inputs: Object.fromEntries(sent) }, graphs });
  return {
    kernel,
    run: (times) => ask({ run: times }),
    outputs: async () => {
      const outputs = Object.entries(await ask({ outputs: true }));
      return Object.fromEntries(outputs.map(([name, text]) => [name, numbers(text)]));
    },
    dispose() {},
  };
}

const base64 = ({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength).toString('base64');

function numbers(text) {
  const { buffer, byteOffset, byteLength } = Buffer.from(text, 'base64');
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
}
