import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DataError } from '../../src/data/errors.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/io/safetensors.ts';
import { SmallCnn } from '../../src/models/smallCnn.ts';
import type { HostTensor } from '../../src/nn/stateDict.ts';
import { Random } from '../../src/random.ts';
import { tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, gpuTest, run, seeded } from '../harness.ts';

// The files in interop/ were written by PyTorch; torch-model.json holds PyTorch's logits, in double precision.

const interop = (name: string): Uint8Array => readFileSync(`test/io/interop/${name}`);
const golden = JSON.parse(interop('torch-model.json').toString());

for (const dtype of ['f32', 'f16', 'bf16']) {
  gpuTest(`a model that PyTorch wrote in ${dtype} loads by name and gives PyTorch's logits`, async (gpu) => {
    const { tensors, metadata } = decodeSafetensors(interop(`torch-model-${dtype}.safetensors`));
    assert.is(metadata.get('format'), 'pt');
    const model = new SmallCnn(gpu, { numClasses: 10, random: new Random(1) });
    model.loadStateDict(tensors);
    model.eval();
    const x = tensor(gpu, Float32Array.from(golden.x.data), golden.x.shape);
    const logits = tidy(() => model.forward(x).logits);
    assertClose('logits', await logits.read(), golden.logits[dtype].data, { rtol: 2e-5, atol: 5e-6 });
    assert.equal(await model.stateDict(), tensors, 'the state is what was loaded, batch counts included');
    for (const t of [x, logits, model]) t.dispose();
  });
}

test('what PyTorch wrote comes back byte for byte', () => {
  const file = interop('torch-model-f32.safetensors');
  const { tensors } = decodeSafetensors(file);
  const again = encodeSafetensors(tensors);
  assert.equal(decodeSafetensors(again).tensors, tensors);
  assert.equal(encodeSafetensors(decodeSafetensors(again).tensors), again, 'the same tensors give the same bytes');
  assert.is(again.length % 8, file.length % 8);
});

const bytesOf = ({ buffer, byteOffset, byteLength }: HostTensor['data']): number[] => [
  ...new Uint8Array(buffer, byteOffset, byteLength),
];

test('every element type, odd sizes and odd names survive', () => {
  const tensors = new Map<string, HostTensor>([
    ['__proto__', { shape: [3], data: Float32Array.of(1, Number.NaN, -0) }],
    ['7', { shape: [], data: BigInt64Array.of(-(2n ** 63n)) }],
    ['', { shape: [0, 5], data: new Float32Array() }],
    ['a "quoted" \\ name\n', { shape: [1, 2], data: Uint32Array.of(0, 4294967295) }],
    ['größe 𝄞', { shape: [1], data: Float64Array.of(Math.PI) }],
    ['view', { shape: [2], data: new Float32Array([9, 8, 7, 6]).subarray(1, 3) }],
  ]);
  const { tensors: back, metadata } = decodeSafetensors(encodeSafetensors(tensors, { seed: '3' }));
  assert.equal(new Set(back.keys()), new Set(tensors.keys()));
  for (const [name, { shape, data }] of tensors) {
    const { shape: sameShape, data: same } = back.get(name)!;
    assert.equal(sameShape, shape, name);
    assert.is(same.constructor, data.constructor, name);
    assert.equal(bytesOf(same), bytesOf(data), `${name}: every bit`);
  }
  assert.equal([...metadata], [['seed', '3']]);
});

test('the data of every tensor is aligned', () => {
  const file = encodeSafetensors(
    new Map<string, HostTensor>([
      ['a', { shape: [1], data: Float32Array.of(1) }],
      ['b', { shape: [], data: BigInt64Array.of(5n) }],
    ]),
  );
  const length = Number(new DataView(file.buffer).getBigUint64(0, true));
  assert.is(length % 8, 0);
  const { b } = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
  assert.equal(b.data_offsets, [0, 8]);
});

test('half-precision numbers are exact, specials included', () => {
  const numbers: [string, number, number][] = [
    ['F16', 0x3c00, 1],
    ['F16', 0xc000, -2],
    ['F16', 0x7bff, 65504],
    ['F16', 0x0001, 2 ** -24],
    ['F16', 0x83ff, -1023 * 2 ** -24],
    ['F16', 0x8000, -0],
    ['F16', 0x7c00, Number.POSITIVE_INFINITY],
    ['F16', 0xfc00, Number.NEGATIVE_INFINITY],
    ['F16', 0x7e00, Number.NaN],
    ['BF16', 0x3f80, 1],
    ['BF16', 0xc049, -3.140625],
    ['BF16', 0x0001, 2 ** -133],
    ['BF16', 0xff80, Number.NEGATIVE_INFINITY],
    ['BF16', 0x7fc0, Number.NaN],
  ];
  for (const [dtype, bits, expected] of numbers) {
    const file = raw({ x: { dtype, shape: [], data_offsets: [0, 2] } }, [bits & 255, bits >> 8]);
    assert.ok(Object.is(decodeSafetensors(file).tensors.get('x')!.data[0], expected), `${dtype} ${bits.toString(16)}`);
  }
});

/** A file of any header, honest in nothing but its length. */
function raw(header: unknown, data: ArrayLike<number> = [], stated?: bigint): Uint8Array {
  const json =
    header instanceof Uint8Array
      ? header
      : new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + json.length + data.length);
  new DataView(file.buffer).setBigUint64(0, stated ?? BigInt(json.length), true);
  file.set(json, 8);
  file.set(data, 8 + json.length);
  return file;
}

const f32 = (shape: unknown, offsets: unknown) => ({ dtype: 'F32', shape, data_offsets: offsets });
const four = [1, 2, 3, 4];
/** A file with the one tensor x. */
const ofX = (shape: unknown, offsets: unknown, data = four, more = {}) =>
  raw({ x: { ...f32(shape, offsets), ...more } }, data);
const field = JSON.stringify(f32([1], [0, 4]));

const hostile: [what: string, file: Uint8Array, message: RegExp][] = [
  ['an empty file', new Uint8Array(), /expected the length of the header.*found a file of 0/],
  ['a header longer than the file', raw({}, [], 3n), /a header of at most 2 bytes.*one of 3/],
  ['a header of 4 GB', raw({}, [], 2n ** 32n), /one of 4294967296/],
  ['a header of 2^64 - 1', raw({}, [], 2n ** 64n - 1n), /one of 18446744073709551615/],
  ['no JSON', raw('{"x":'), /a header in JSON and UTF-8/],
  ['invalid UTF-8', raw(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)), /a header in JSON and UTF-8/],
  ['a byte order mark', raw('\ufeff{}'), /a header in JSON and UTF-8/],
  ['a header that is a list', raw('[]'), /a header that is an object.*found \[\]/],
  ['deep nesting', raw('['.repeat(1_000_000)), /nested 3 deep.*nested 1000000 deep/],
  ['a name twice', raw(`{"x":${field},"\\u0078":${field}}`, four), /every name once.*8 names, of which 4 differ/],
  ['a field twice', raw(`{"x":{"dtype":"F32",${field.slice(1)}}`, four), /every name once/],
  ['metadata that is no text', raw({ __metadata__: { n: 1 } }), /a text in __metadata__\.n.*found 1/],
  ['metadata that is a list', raw({ __metadata__: [] }), /texts in __metadata__/],
  ['a tensor that is a number', raw({ x: 5 }), /x: \{dtype, shape, data_offsets\}.*found 5/],
  ['a tensor called __proto__', raw('{"__proto__":{"dtype":"F32"}}'), /__proto__: a shape/],
  ['a dtype from the prototype', ofX([], [0, 0], [], { dtype: 'constructor' }), /x: dtype one of F64,F32/],
  ['a dtype we do not read', ofX([4], [0, 4], four, { dtype: 'F8_E4M3' }), /dtype one of .*found "F8_E4M3"/],
  ['a further field', ofX([1], [0, 4], four, { stride: 1 }), /only dtype.*found \["stride"\]/],
  ['a negative size', ofX([-1], [0, 4]), /whole numbers >= 0.*found \[-1\]/],
  ['a size that is no whole number', ofX([0.5], [0, 4]), /whole numbers >= 0/],
  ['a size beyond 2^53', raw(`{"x":${field.replace('[1]', '[9007199254740993]')}}`, four), /whole numbers >= 0/],
  ['sizes whose product is beyond all bounds', ofX(new Array(40).fill(2 ** 52), [0, 4]), /x: Infinity bytes/],
  ['a shape that lies', ofX([2], [0, 4]), /x: 8 bytes for F32 \[2\].*found 4/],
  ['offsets out of order', ofX([1], [4, 0]), /in order, within 4 bytes/],
  ['offsets out of range', ofX([1], [4, 8]), /in order, within 4 bytes/],
  ['three offsets', ofX([1], [0, 4, 8]), /two whole numbers/],
  ['overlapping tensors', raw(`{"x":${field},"y":${field}}`, four), /data from offset 4 on.*found data from 0/],
  ['a gap', ofX([1], [4, 8], [...four, ...four]), /data from offset 0 on.*found data from 4/],
  ['trailing bytes', ofX([1], [0, 4], [...four, 5]), /the end of the file after 4 bytes of data.*found 1 more/],
];

for (const [what, file, message] of hostile) {
  test(`${what} is refused`, () => {
    let error: unknown;
    try {
      decodeSafetensors(file, 'model.safetensors');
    } catch (caught) {
      error = caught;
    }
    assert.ok(error instanceof DataError, `${error}`);
    assert.is(error.file, 'model.safetensors');
    assert.type(error.offset, 'number');
    assert.match(error.message, message);
  });
}

test('a file whose bytes were changed at random loads or is refused', () => {
  const random = seeded(11);
  const small = encodeSafetensors(
    new Map<string, HostTensor>([
      ['weight', { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
      ['count', { shape: [], data: BigInt64Array.of(7n) }],
    ]),
  );
  let loaded = 0;
  for (let i = 0; i < 300; i++) {
    const length = random() < 0.3 ? Math.floor(random() * (small.length + 1)) : small.length;
    const file = small.slice(0, length);
    for (let k = Math.floor(random() * 4); k > 0 && length > 0; k--)
      file[Math.floor(random() * length)] = Math.floor(random() * 256);
    try {
      for (const [name, { shape, data }] of decodeSafetensors(file).tensors) {
        assert.is(
          data.length,
          shape.reduce((n, size) => n * size, 1),
          name,
        );
      }
      loaded++;
    } catch (error) {
      assert.ok(error instanceof DataError, `change ${i}: ${error}`);
    }
  }
  assert.ok(loaded > 20 && loaded < 280, `${loaded} of 300 loaded`);
});

const one: HostTensor = { shape: [2], data: Float32Array.of(1, 2) };
const named = (name: unknown, tensor: unknown = one) => [[name, tensor]];
const x = (shape: unknown, data: unknown = one.data) => named('x', { shape, data });

const unwritable: [what: string, message: RegExp, tensors: unknown, texts?: unknown][] = [
  ['a number as text', /the text epoch must be a string but is 3; use String/, named('a'), { epoch: 3 }],
  ['NaN as text', /the text loss must be a string but is NaN/, named('a'), { loss: Number.NaN }],
  ['null as text', /the text note must be a string but is null/, named('a'), { note: null }],
  ['undefined as text', /the text note must be a string but is undefined/, named('a'), { note: undefined }],
  ['an object as text', /the text options must be a string but is a/, named('a'), { options: { lr: 1 } }],
  ['a number in a Map', /the text epoch must be a string but is 3/, named('a'), new Map([['epoch', 3]])],
  ['half a surrogate pair as text', /the text note has half a surrogate pair/, named('a'), { note: 'a\ud800' }],
  ['half a surrogate pair naming a text', /the name of a text has half a/, named('a'), { '\udc00': '' }],
  ['a list of texts', /texts must be an object of strings but are \['?pt'?\] \(an array\)/, named('a'), ['pt']],
  ['null for texts', /texts must be an object of strings but are null/, named('a'), null],
  ['one text', /texts must be an object of strings but are 'pt'/, named('a'), 'pt'],
  ['the name of the texts', /cannot be called __metad/, named('__metadata__')],
  ['a number as name', /the name of a tensor must be a string but is 0/, named(0)],
  ['half a surrogate pair as name', /the name of a tensor has half a surrogate pair/, named('\ud800')],
  ['elements that do not fill the shape', /x has 3 elements but its shape is \[2\]/, x([2], new Float32Array(3))],
  ['a negative size', /shape of x must be an array of whole numbers >= 0 but is \[-1,-2\]/, x([-1, -2])],
  ['half a size', /shape of x must be an array of whole numbers/, x([0.5, 4])],
  ['a size that is text', /shape of x must be an array of whole numbers/, x(['2'])],
  ['a number as shape', /shape of x must be an array .* but is 2/, x(2)],
  ['no shape', /shape of x must be an array .* but is undefined/, x(undefined)],
  ['a shape of another kind', /shape of x must be an array/, x(Uint32Array.of(2))],
  ['a list as data', /data of x must be a Float32Array or .* is \[1,2\] \(an array\); convert it/, x([2], [1, 2])],
  ['no data', /data of x must be .* but is undefined; pass \{ shape, data: await x\.read/, named('x', { shape: [2] })],
  ['nothing', /data of x must be .* but is undefined/, [['x', undefined]]],
  ['an ArrayBuffer as data', /data of x must be/, x([2], new ArrayBuffer(8))],
  ['a view of any type as data', /data of x must be/, x([8], new DataView(new ArrayBuffer(8)))],
  ['a name as long as a header may be', /take \d+ bytes but a header has at most 4194304/, named('x'.repeat(4 << 20))],
  ...[Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, BigUint64Array].map(
    (Type): [string, RegExp, unknown] => [
      Type.name,
      new RegExp(
        `data of x must be a Float32Array or Float64Array or Uint32Array or BigInt64Array but is an? ${Type.name}`,
      ),
      x([1], new Type(1)),
    ],
  ),
];

for (const [what, message, tensors, texts] of unwritable) {
  test(`${what} is not written`, () => {
    assert.throws(() => encodeSafetensors(new Map(tensors as []), texts as never), message);
  });
}

test('names come back in their order, of tensors and of texts', () => {
  const scalar = (value: number): HostTensor => ({ shape: [], data: Float32Array.of(value) });
  const tensors = new Map<string, HostTensor>([
    ['1', scalar(1)],
    ['0', scalar(0)],
    ['', { shape: [0], data: new Float32Array() }],
    ['b', { shape: [], data: BigInt64Array.of(2n) }],
    ['__proto__', { shape: [1], data: Uint32Array.of(3) }],
    ['10', { shape: [0], data: new Float32Array() }],
    ['9', { shape: [0], data: new Float32Array() }],
    ['a', { shape: [], data: Float64Array.of(4) }],
  ]);
  const texts = new Map([
    ['2', 'b'],
    ['1', 'a'],
    ['__proto__', 'c'],
    ['_', ''],
  ]);
  const read = decodeSafetensors(encodeSafetensors(tensors, texts));
  assert.equal([...read.tensors], [...tensors]);
  assert.equal([...read.metadata], [...texts]);
  assert.equal(encodeSafetensors(read.tensors, read.metadata), encodeSafetensors(tensors, texts));
  const foreign = raw(`{"7":${field},"3":${JSON.stringify(f32([1], [4, 8]))}}`, [...four, ...four]);
  assert.equal([...decodeSafetensors(foreign).tensors.keys()], ['7', '3']);
});

test('what torch.save wrote is named, with how to convert it', () => {
  const zip = Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0, 8, 8, 0, 0, 0, 0);
  const pickle = Uint8Array.of(0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e);
  for (const [file, what] of [
    [zip, 'a zip file'],
    [pickle, 'a pickle'],
  ] as const)
    assert.throws(
      () => decodeSafetensors(file, 'model.pth'),
      (error: Error) =>
        error instanceof DataError &&
        error.message.startsWith('model.pth: ') &&
        error.message.includes(
          `found ${what}, as torch.save writes (.pth, .pt); convert it in Python: safetensors.torch.save_file(`,
        ),
    );
  // A header of 640 bytes begins like a pickle.
  const file = encodeSafetensors(new Map([['x'.repeat(640 - 91), one]]));
  assert.equal([...file.subarray(0, 2)], [0x80, 2]);
  assert.is(decodeSafetensors(file).tensors.size, 1);
});

test('what holds no bytes is named', () => {
  for (const [wrong, shown] of [
    ['model.safetensors', "'model.safetensors' (a string)"],
    [Promise.resolve(), 'a Promise'],
    [[1, 2], '[1,2] (an array)'],
    [undefined, 'undefined'],
  ] as const)
    assert.throws(
      () => decodeSafetensors(wrong as never),
      (error: Error) =>
        error instanceof TypeError && error.message.includes(`an ArrayBuffer but is ${shown}; read it first`),
    );
});

test('a file is taken as fetch gives it, and what is no state is named', () => {
  const state = new Map([['x', { shape: [2], data: Float32Array.of(1, 2) }]]);
  const file = encodeSafetensors(state);
  assert.equal(decodeSafetensors(file.buffer).tensors, state);
  for (const wrong of [Promise.resolve(state), { x: state.get('x') }])
    assert.throws(() => encodeSafetensors(wrong as never), /tensors must be a Map, as `await stateDict\(\)` is/);
});

run();
