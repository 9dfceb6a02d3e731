import affine from '../../shaders/affine.wgsl';
import source from '../../shaders/canonicalGeometry.wgsl';
import rows from '../../shaders/rows.wgsl';
import { defineKernel } from '../gpu/kernel.ts';
import { empty } from '../tensor.ts';
import type { Geometry } from './host.ts';

const kernel = /* @__PURE__ */ defineKernel('canonicalGeometry', [rows, affine, source], ['measure', 'resample']);

/**
 * Brings the one bright object of each grey image to a standard size and place, as MNIST's digits have: the longer side of the box
 * around all pixels brighter than a quarter takes 5/7 of the image, and the centre of mass is the image's centre. An image without
 * such a pixel keeps its size. It is made for handwriting, letters and the like on a black ground: a classifier then needs not
 * learn sizes and places, which differ between collections. Sampling is bilinear, and black outside.
 *
 * Use it for the source, the target and everything that the model predicts later: `{ ...images, geometry: canonicalGeometry }`.
 */
export const canonicalGeometry: Geometry = {
  name: 'canonical',
  apply(images, { count, height, width }) {
    const { gpu } = images;
    const params = { count, height, width, words: images.size };
    const place = empty(gpu, [count, 3], 'f32', 'place');
    const canonical = empty(gpu, images.shape, 'u32', 'canonical images');
    kernel.measure({ images, place }, params, count, { constants: { LANES: 64 } });
    kernel.resample({ images, placeIn: place, canonical }, params, Math.ceil(images.size / 64));
    place.dispose();
    return canonical;
  },
};
