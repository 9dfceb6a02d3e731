import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DataError } from '../../../src/data/errors.ts';
import type { HostFeatures, HostImages } from '../../../src/data/host.ts';
import { decodeNpy, readNpy } from '../../../src/data/readers/npy.ts';
import written from './npy.json' with { type: 'json' };

// Files as NumPy itself writes them.

const named = (name: keyof typeof written.files, file = 'x.npy') => ({
  file,
  bytes: Uint8Array.from(Buffer.from(written.files[name], 'base64')),
});

test('images, grey and colour', () => {
  const grey = readNpy({ data: named('images u8 [2,3,4]'), labels: named('labels i64 [2]') }) as HostImages;
  assert.equal([grey.count, grey.channels, grey.height, grey.width], [2, 1, 3, 4]);
  assert.equal(
    [...grey.images],
    Array.from({ length: 24 }, (_, i) => i),
  );
  assert.equal([...grey.labels!], [3, 70_000]);
  const colour = readNpy({ data: named('colour u8 [1,3,2,2]') }) as HostImages;
  assert.equal([colour.count, colour.channels, colour.height, colour.width], [1, 3, 2, 2]);
});

test("Node's Buffer, as readFile gives it, is read like other bytes", () => {
  const bytes = Buffer.from(named('features f32 [2,3]').bytes);
  const { features } = readNpy({ data: { file: 'x.npy', bytes } }) as HostFeatures;
  assert.equal([...features], [0.5, -1, 2, 3, 4, 5]);
});

test('features in single and double precision', () => {
  for (const name of ['features f32 [2,3]', 'features f64 [2,3]'] as const) {
    const { features, count, dim, labels } = readNpy({
      data: named(name),
      labels: named('labels u8 [2]'),
    }) as HostFeatures;
    assert.equal([[...features], count, dim, [...labels!]], [[0.5, -1, 2, 3, 4, 5], 2, 3, [1, 0]]);
    assert.instance(features, Float32Array);
  }
});

test('what is no array of examples is refused, with its file', () => {
  const refused = (act: () => unknown, message: RegExp) =>
    assert.throws(act, (error: Error) => error instanceof DataError && message.test(error.message));
  refused(
    () => decodeNpy(named('column-major')),
    /x\.npy: .*row-major order but found column-major.*ascontiguousarray/,
  );
  refused(() => decodeNpy(named('big-endian')), /one of the element types .* but found '>f4'; convert it/);
  refused(() => readNpy({ data: named('labels u8 [2]') }), /expected images u8 .* but found Uint8Array \[2\]/);
  refused(
    () => readNpy({ data: named('images u8 [2,3,4]'), labels: named('features f32 [2,3]', 'l.npy') }),
    /l\.npy: .*2 labels, one for each example but found an array of shape \(2, 3\)/,
  );
  const { bytes } = named('features f32 [2,3]');
  refused(
    () => decodeNpy({ file: 'f', bytes: bytes.subarray(0, -1) }),
    /24 bytes of data for the shape \(2, 3\) but found 23/,
  );
  refused(() => decodeNpy({ file: 'f', bytes: bytes.subarray(0, 9) }), /expected/);
  const holed = bytes.slice();
  new DataView(holed.buffer).setFloat32(holed.length - 4, Number.NaN, true);
  refused(() => readNpy({ data: { file: 'f', bytes: holed } }), /but found NaN in row 1/);
});

test.run();
