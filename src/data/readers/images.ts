// Reads images from files of any format. A decoder that the caller gives turns a file into pixels: sharp in Node, the browser in a
// page. Files are read and decoded a few at a time, straight into the packed set, so memory hardly exceeds that set.
import { DataError } from '../errors.ts';
import type { HostImages } from '../host.ts';
import type { NamedBytes } from './idx.ts';
import { numberClasses } from './names.ts';
import { textOf } from './text.ts';

/** How an image is brought to the size of the set. */
export type Resize = 'crop' | 'fit' | 'fill';

/** The form that a decoder gives an image. */
export interface DecodeOptions {
  channels: 1 | 3;
  /** Height and width. Default: those of the file. */
  size?: readonly [height: number, width: number] | undefined;
  /** `crop`: the middle, enlarged to fill the size; `fit`: the whole image on white; `fill`: stretched. */
  resize: Resize;
}

/** Pixels of an image: bytes [channels, height, width]. */
export interface DecodedImage {
  data: Uint8Array;
  height: number;
  width: number;
}

/**
 * Decodes an image file: its first frame, turned as its EXIF orientation says, transparency over white, as 8-bit grey or RGB.
 * Rejects if the file cannot be decoded.
 */
export type Decode = (bytes: Uint8Array, options: DecodeOptions) => Promise<DecodedImage>;

/** An image file that is not read yet. */
export interface ImageFile {
  /** Its path in the set, for messages and results. */
  name: string;
  /** The name or the number of its class. */
  label?: string | undefined;
}

export interface ReadImageFilesOptions {
  /** Reads a file's bytes. */
  read: (name: string) => Promise<Uint8Array>;
  decode: Decode;
  /** 1 (grey) or 3 (RGB). */
  channels: 1 | 3;
  /** Height and width of all images. Default: those of the first file, which all must have. */
  size?: readonly [height: number, width: number] | undefined;
  resize: Resize;
  /** Called with each file that cannot be read or decoded, which is left out. Default: the first one throws. */
  onUnreadable?: ((error: DataError) => void) | undefined;
  onProgress?: ((done: number, total: number) => void) | undefined;
}

// Enough to keep a few cores busy while files are read.
const AT_ONCE = 8;

// Also of formats that some decoders lack: then the file is refused by name, not passed over.
const EXTENSION = /\.(a?png|jpe|jpe?g|jfif|webp|gif|avif|tiff?|svg|bmp|hei[cf]|jxl|jp2|p[bgnp]m)$/i;

/** Whether a path looks like that of an image. */
export const isImagePath = (path: string): boolean => EXTENSION.test(path) && !/(^|\/)\./.test(path);

/**
 * Reads images from files.
 *
 * @throws DataError that names a file that cannot be decoded, or whose size is not that of the first
 * @throws the error of `read` for a file that it cannot read, unless there is `onUnreadable`
 */
export async function readImageFiles(files: readonly ImageFile[], options: ReadImageFilesOptions): Promise<HostImages> {
  const { read, decode, channels, resize, onUnreadable, onProgress } = options;
  const refuse = (file: string, expected: string, found: string, cause?: unknown): DataError =>
    new DataError({ file, offset: 0, expected, found }, { cause });
  const load = async ({ name }: ImageFile): Promise<DecodedImage | DataError> => {
    let bytes: Uint8Array;
    try {
      bytes = await read(name);
    } catch (cause) {
      if (!onUnreadable) throw cause;
      return refuse(name, 'a file that can be read', (cause as Error).message, cause);
    }
    try {
      return await decode(bytes, { channels, size: options.size, resize });
    } catch (cause) {
      return refuse(name, 'an image', `what cannot be decoded (${(cause as Error).message.split('\n')[0]})`, cause);
    }
  };
  let images: Uint8Array | undefined;
  let first: { name: string; height: number; width: number } | undefined;
  const kept: boolean[] = [];
  let next = 0;
  let done = 0;
  const put = (i: number, image: DecodedImage): void => {
    const { name } = files[i]!;
    first ??= { name, height: image.height, width: image.width };
    if (image.height !== first.height || image.width !== first.width)
      throw refuse(
        name,
        `an image of ${first.height}x${first.width}, as ${first.name} is`,
        `one of ${image.height}x${image.width}; choose one size for all, as --image-size does`,
      );
    const size = channels * first.height * first.width;
    images ??= new Uint8Array(files.length * size);
    images.set(image.data, i * size);
  };
  // The first readable file gives the size, unless the options do.
  const work = async (): Promise<void> => {
    for (;;) {
      const i = next++;
      if (i >= files.length) return;
      const image = await load(files[i]!);
      kept[i] = !(image instanceof DataError);
      if (image instanceof DataError) {
        if (!onUnreadable) throw image;
        onUnreadable(image);
      } else put(i, image);
      onProgress?.(++done, files.length);
    }
  };
  // After a failure, no further file is read.
  const stop = (error: unknown): never => {
    next = files.length;
    throw error;
  };
  const results = await Promise.allSettled(Array.from({ length: AT_ONCE }, () => work().catch(stop)));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  const places = files.map((_, i) => i).filter((i) => kept[i]);
  if (!images || !first) throw refuse(files[0]?.name ?? 'folder', 'an image that can be decoded', 'none');
  const size = channels * first.height * first.width;
  for (const [to, from] of places.entries())
    if (to !== from) images.copyWithin(to * size, from * size, (from + 1) * size);
  const chosen = places.map((i) => files[i]!);
  const labels = chosen.map(({ label }) => label);
  return {
    images: images.subarray(0, places.length * size),
    count: places.length,
    channels,
    height: first.height,
    width: first.width,
    names: chosen.map(({ name }) => name),
    ...(labels.every((label) => label !== undefined) && numberClasses(labels)),
  };
}

/**
 * Lists the images of a folder from the paths in it: a folder per class, or unlabelled images without folders.
 *
 * @param folder its name, for messages
 * @throws DataError if there is no image, or if there are both images and folders of images
 */
export function imagesOfFolder(folder: string, paths: readonly string[]): ImageFile[] {
  const images = paths.filter(isImagePath).sort();
  const refuse = (expected: string, found: string): never => {
    throw new DataError({ file: folder, offset: 0, expected, found });
  };
  if (images.length === 0)
    refuse('images, or a folder of images per class', paths.length === 0 ? 'nothing' : `${paths.length} other files`);
  const loose = images.filter((path) => !path.includes('/'));
  if (loose.length === images.length) return images.map((name) => ({ name }));
  if (loose.length > 0)
    refuse(
      'either images or a folder of images per class',
      `both, such as ${loose[0]} and ${images.find((path) => path.includes('/'))}`,
    );
  return images.map((name) => ({ name, label: name.slice(0, name.indexOf('/')) }));
}

/**
 * Reads TLlib's list of images: a path and a label on each line, separated by a space.
 *
 * @throws DataError for a line without a label, or if the file is not UTF-8
 */
export function imagesOfList(list: NamedBytes): ImageFile[] {
  const { file } = list;
  const lines = textOf(list, 'an image list').split(/\r?\n/);
  const images = lines.flatMap((line, i) => {
    if (line.trim() === '') return [];
    const [, name, label] = /^(.*\S)\s+(\S+)$/.exec(line.trim()) ?? [];
    if (name === undefined)
      throw new DataError({
        file,
        offset: 0,
        expected: 'a path and a label on each line',
        found: `'${line}' in line ${i + 1}`,
      });
    return [{ name, label }];
  });
  if (images.length === 0)
    throw new DataError({ file, offset: 0, expected: 'a path and a label on each line', found: 'nothing' });
  return images;
}
