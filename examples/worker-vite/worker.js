// Adapts from bright to dark stripes when the page asks for it. WebGPU works in workers as in pages.
import { createGpu } from 'padagrad';
import { pada, predict, train } from 'padagrad/train';

/** Images of 16x16 with a stripe at one of four places. */
function stripes(count, classes, brightness) {
  const images = new Uint8Array(count * 256);
  const labels = Uint8Array.from({ length: count }, (_, i) => i % classes);
  labels.forEach((label, i) => {
    for (let y = 0; y < 16; y++) {
      const start = (i * 16 + y) * 16 + 4 * label;
      images.fill(brightness - (i % 7), start, start + 3);
    }
  });
  return { images, labels, count, height: 16, width: 16 };
}

self.onmessage = async ({ data: { count, classes } }) => {
  try {
    const gpu = await createGpu();
    const source = stripes(count, classes, 250);
    const { labels: answers, ...target } = stripes(count / 2, 2, 180);
    const iterations = 60;
    const { trainer } = await train({
      ...{ gpu, source, target, method: pada({ classWeightUpdateSteps: 20 }), iterations, batchSize: 16 },
      callbacks: { onProgress: ({ iteration }) => postMessage({ progress: iteration / iterations }) },
    });
    const { labels } = await predict(gpu, { data: target, model: trainer.model });
    const right = labels.filter((label, i) => label === answers[i]).length;
    const found = right >= 0.95 * target.count ? 'nearly all' : right;
    postMessage({ progress: 1, message: `${found} of ${target.count} target images are labelled correctly` });
    trainer.dispose();
    gpu.dispose();
  } catch (error) {
    postMessage({ message: error.message });
  }
};
