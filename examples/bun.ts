// Adapts a classifier in Bun, which runs TypeScript and uses the package webgpu, as Node does.
//
//   bun add padagrad webgpu
//   bun run bun.ts
//
// Shows: the types of train() and of data. The images are bright stripes at four places; the target is darker and has two of them.
import { createGpu, type HostImages } from 'padagrad';
import { pada, predict, train } from 'padagrad/train';

function stripes(count: number, classes: number, brightness: number): HostImages & { labels: Uint8Array } {
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

const gpu = await createGpu();
const source = stripes(200, 4, 250);
const { labels: answers, ...target } = stripes(100, 2, 180);
const { trainer, result } = await train({
  ...{ gpu, source, target, method: pada({ classWeightUpdateSteps: 20 }), iterations: 60, batchSize: 16 },
});
const present = result.classWeight.flatMap((weight, c) => (weight > 0.5 ? [c] : []));
console.log(`the target seems to contain the classes ${present.join(', ')}`);
const { labels } = await predict(gpu, { data: target, model: trainer.model });
const right = labels.filter((label, i) => label === answers[i]).length;
console.log(`${right >= 95 ? 'nearly all' : right} of ${target.count} target images are labelled correctly`);
trainer.dispose();
gpu.dispose();
