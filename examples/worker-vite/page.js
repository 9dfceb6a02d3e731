// Trains in a worker, so that the page stays responsive, and shows its progress. `npm install`, then `npm run dev`.
//
// Shows: a module worker that bundlers find (new Worker(new URL(...))), progress, and messages for errors.
const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
const [progress, message] = ['progress', 'message'].map((id) => document.getElementById(id));

worker.onmessage = ({ data }) => {
  if (data.progress !== undefined) progress.value = data.progress;
  if (data.message) message.textContent = data.message;
};
worker.onerror = ({ message: text }) => {
  message.textContent = `the worker failed: ${text}`;
};
worker.postMessage({ count: 200, classes: 4 });
