import affine from '../../shaders/affine.wgsl';
import source from '../../shaders/canonicalImages.wgsl';
import rows from '../../shaders/rows.wgsl';
import { defineKernel } from '../gpu/kernel.ts';
import { showShape, sizeOf } from '../shape.ts';
import { empty, type Tensor } from '../tensor.ts';
import type { PackedImages } from './imageBatch.ts';
import { expectShape } from './shared/expect.ts';

const kernel = /* @__PURE__ */ defineKernel('canonicalImages', [rows, affine, source], ['measure', 'resample']);

/**
 * Brings the one bright object of each image to a standard size and place, as MNIST's digits have: the longer side of the box around all
 * pixels brighter than a quarter takes 5/7 of the image, and the centre of mass is the image's centre. An image without such a
 * pixel keeps its size. Sampled bilinearly, black outside.
 *
 * images: grey, four bytes per u32, [count, 1, height, width]. Returns images in the same form. No gradient.
 *
 * @throws TypeError if the images are not grey, or `images` has another size
 */
export function canonicalImages({ images, shape, count }: Pick<PackedImages, 'images' | 'shape' | 'count'>): Tensor {
  const [channels, height, width] = shape as [number, number, number];
  if (shape.length !== 3 || channels !== 1)
    throw new TypeError(`canonicalImages: images must be grey, [1, height, width], but are ${showShape(shape)}`);
  const words = Math.ceil((count * sizeOf(shape)) / 4);
  expectShape('canonicalImages', 'images', images, [words], 'u32');
  const { gpu } = images;
  const params = { count, height, width, words };
  const place = empty(gpu, [count, 3], 'f32', 'place');
  kernel.measure({ images, place }, params, count, { constants: { LANES: 64 } });
  const canonical = empty(gpu, [words], 'u32', 'canonicalImages');
  kernel.resample({ images, placeIn: place, canonical }, params, Math.ceil(words / 64));
  place.dispose();
  return canonical;
}
