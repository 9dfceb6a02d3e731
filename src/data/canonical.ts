import { checkGpu, type Gpu } from '../gpu/gpu.ts';
import { canonicalImages } from '../ops/canonicalImages.ts';
import { tidy } from '../tidy.ts';
import { ImageDataset } from './dataset.ts';
import { checkData, type HostImages, isFeatures } from './host.ts';

/**
 * Returns grey images whose one bright object has a standard size and place (see {@link canonicalImages}), for handwriting, digits,
 * letters and the like: a classifier then needs not learn size and place, which differ between collections. Use it for the
 * source, the target and everything that the model predicts later. The GPU computes it once.
 *
 * @throws TypeError for data that holds no grey images
 * @throws GpuError `LIMIT` if they take more bytes than the device binds at once
 */
export async function canonicalGeometry(gpu: Gpu, data: HostImages): Promise<HostImages> {
  checkGpu('canonicalGeometry', gpu);
  if (isFeatures(data) || (data.channels ?? 1) !== 1)
    throw new TypeError(
      'canonicalGeometry: it moves the bright object of grey images, but the data holds ' +
        (isFeatures(data) ? 'feature vectors' : 'colour images'),
    );
  checkData('canonicalGeometry', data, false);
  const set = new ImageDataset(gpu, data, 1, { labelled: false, label: 'canonicalGeometry' });
  const moved = tidy(() => canonicalImages(set));
  try {
    const words = await moved.readU32();
    return { ...data, images: new Uint8Array(words.buffer, words.byteOffset, data.images.length) };
  } finally {
    moved.dispose();
    set.dispose();
  }
}
