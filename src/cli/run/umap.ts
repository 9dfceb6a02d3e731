// A bundler that splits code gives a CommonJS package that is imported on demand no names, so this module names what is used of it.
import { UMAP } from 'umap-js';
import type { HostFeatures } from '../../data/host.ts';
import { Random } from '../../random.ts';

/** Puts vectors into the plane by UMAP (McInnes et al. 2018), near ones near each other. */
export function inPlane(
  sides: readonly HostFeatures[],
  seed: number,
  onEpoch?: (done: number, total: number) => void,
): { x: number[]; y: number[] } {
  const vectors = sides.flatMap(({ features, count, dim }) =>
    Array.from({ length: count }, (_, i) => [...features.subarray(i * dim, (i + 1) * dim)]),
  );
  const random = new Random(seed);
  // It needs more vectors than neighbours.
  const umap = new UMAP({ random: () => random.uniform(), nNeighbors: Math.min(15, vectors.length - 1) });
  const epochs = umap.initializeFit(vectors);
  for (let epoch = 0; epoch < epochs; epoch++) {
    umap.step();
    onEpoch?.(epoch + 1, epochs);
  }
  const places = umap.getEmbedding();
  const column = (k: number): number[] => places.map((place) => Number(place[k]!.toFixed(3)));
  return { x: column(0), y: column(1) };
}
