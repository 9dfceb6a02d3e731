import affine from '../../shaders/affine.wgsl';
import source from '../../shaders/canonicalGeometry.wgsl';
import rows from '../../shaders/rows.wgsl';
import { checkGpu, type Gpu } from '../gpu/gpu.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { empty } from '../tensor.ts';
import { ImageDataset } from './dataset.ts';
import { checkData, type HostImages, isFeatures } from './host.ts';

const kernel = /* @__PURE__ */ defineKernel('canonicalGeometry', [rows, affine, source], ['measure', 'resample']);

/**
 * Returns grey images whose one bright object has a standard size and place, as MNIST's digits have: the longer side of the box around
 * all pixels brighter than a quarter takes 5/7 of the image, and the centre of mass is the image's centre. An image without such a
 * pixel keeps its size. It is made for handwriting, letters and the like on a black ground: a classifier then needs not learn
 * sizes and places, which differ between collections. Use it for the source, the target and everything that the model predicts
 * later. The GPU computes it once; sampling is bilinear, and black outside.
 *
 * @throws TypeError for data that holds no grey images
 * @throws GpuError `LIMIT` if they take more bytes than the device binds at once
 */
export async function canonicalGeometry(gpu: Gpu, data: HostImages): Promise<HostImages> {
  checkGpu('canonicalGeometry', gpu);
  if (isFeatures(data) || (data.channels ?? 1) !== 1)
    throw new TypeError(
      `canonicalGeometry: it moves the bright object of grey images, but the data holds ${isFeatures(data) ? 'feature vectors' : 'colour images'}`,
    );
  checkData('canonicalGeometry', data, false);
  const { count, height, width } = data;
  const set = new ImageDataset(gpu, data, 1, { labelled: false, label: 'canonicalGeometry' });
  const { images } = set;
  const params = { count, height, width, words: images.size };
  const place = empty(gpu, [count, 3], 'f32', 'place');
  const canonical = empty(gpu, images.shape, 'u32', 'canonical images');
  kernel.measure({ images, place }, params, count, { constants: { LANES: 64 } });
  kernel.resample({ images, placeIn: place, canonical }, params, Math.ceil(images.size / 64));
  try {
    const words = await canonical.readU32();
    return { ...data, images: new Uint8Array(words.buffer, words.byteOffset, data.images.length) };
  } finally {
    for (const thing of [set, place, canonical]) thing.dispose();
  }
}
