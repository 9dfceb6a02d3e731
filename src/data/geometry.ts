// For programs that choose the geometry of images by a name, such as the command line and the page.
import { canonicalGeometry } from './canonicalGeometry.ts';
import type { HostData } from './host.ts';

/** The names of geometries in flags and JSON. */
export const GEOMETRY_NAMES = ['none', 'canonical'] as const;
export type GeometryName = (typeof GEOMETRY_NAMES)[number];

/** Returns data whose images are brought to a geometry. */
export const inGeometry = <Data extends HostData | undefined>(data: Data, name: GeometryName): Data =>
  data && name === 'canonical' ? { ...data, geometry: canonicalGeometry } : data;
