// affine: shared by kernels that sample images at an affine map of their own grid, as grid_sample(affine_grid(theta)) of PyTorch does
//
//   centre of a pixel   (u, v) = ((2 column + 1) / width - 1, (2 row + 1) / height - 1), from -1 to 1 across the image
//   place               (u', v') = theta (u, v, 1), in pixels ((u' + 1) width - 1) / 2 and ((v' + 1) height - 1) / 2
//   sampled             the four pixels around a place, weighted by how near they are (bilinear, align_corners = false)
//
// shapes    theta: two rows of three; the kernel that joins this defines pixelAt(i), element i of planes of height * width
// parallel  called per pixel, and per plane for `sampled`
// numerics  `padded` with BORDER moves a place into the image, so the border is repeated; else pixels outside are 0. NaN in theta gives NaN

override BORDER = false;

fn placeOf(thetaU: vec3f, thetaV: vec3f, pixel: vec2u, size: vec2u) -> vec2f {
  let extent = vec2f(size);
  let centre = vec3f((2.0 * vec2f(pixel) + 1.0) / extent - 1.0, 1.0);
  return ((vec2f(dot(thetaU, centre), dot(thetaV, centre)) + 1.0) * extent - 1.0) / 2.0;
}

fn padded(place: vec2f, size: vec2u) -> vec2f {
  if (!BORDER) { return place; }
  let last = vec2f(size) - 1.0;
  return select(select(place, vec2f(), place < vec2f()), last, place > last);
}

fn pixelOrZero(plane: u32, corner: vec2i, size: vec2u) -> f32 {
  let pixel = vec2u(corner);
  if (any(pixel >= size)) { return 0.0; }
  return pixelAt((plane * size.y + pixel.y) * size.x + pixel.x);
}

fn sampled(plane: u32, place: vec2f, size: vec2u) -> f32 {
  let corner = floor(place);
  let t = place - corner;
  let first = vec2i(corner);
  let above = mix(pixelOrZero(plane, first, size), pixelOrZero(plane, first + vec2i(1, 0), size), t.x);
  let below = mix(pixelOrZero(plane, first + vec2i(0, 1), size), pixelOrZero(plane, first + 1, size), t.x);
  return mix(above, below, t.y);
}
