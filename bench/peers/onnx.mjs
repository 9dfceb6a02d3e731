// Writes ONNX models: only the fields of the protobuf (onnx.proto3) that a graph of float operators needs.

const FLOAT = 1;
const utf8 = new TextEncoder();

function varint(value) {
  const bytes = [];
  let rest = BigInt(value);
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 128 : low);
  } while (rest > 0n);
  return bytes;
}

const number = (field, value) => [...varint(field << 3), ...varint(value)];

/** Encodes a field with a length: a message, a string or packed numbers. */
const block = (field, content) => {
  const bytes = typeof content === 'string' ? utf8.encode(content) : content;
  return concat([Uint8Array.from([...varint((field << 3) | 2), ...varint(bytes.length)]), Uint8Array.from(bytes)]);
};

function concat(parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Encodes a ValueInfoProto: a name with a tensor's type and shape. A size that varies is a name, such as 'n'. */
const valueInfo = (name, shape) => {
  const dimensions = concat(shape.map((size) => block(1, typeof size === 'string' ? block(2, size) : number(1, size))));
  return concat([block(1, name), block(2, block(1, concat([number(1, FLOAT), block(2, dimensions)])))]);
};

/** Encodes a TensorProto with raw little-endian data. */
const constant = (name, { shape, data }) =>
  concat([
    block(
      1,
      shape.flatMap((size) => varint(size)),
    ),
    number(2, FLOAT),
    block(8, name),
    block(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  ]);

/** Encodes an AttributeProto: an integer or a list of integers. */
const attribute = (name, value) =>
  Array.isArray(value)
    ? concat([block(1, name), ...value.map((one) => number(8, one)), number(20, 7)])
    : concat([block(1, name), number(3, value), number(20, 2)]);

/** Encodes a NodeProto. */
const node = ({ op, inputs, output, attributes = {} }) =>
  concat([
    ...inputs.map((name) => block(1, name)),
    block(2, output),
    block(4, op),
    ...Object.entries(attributes).map(([name, value]) => block(5, attribute(name, value))),
  ]);

/** Encodes a ModelProto: nodes in order; constants, and shapes of inputs and outputs, by name. */
export function onnxModel({ nodes, constants = {}, inputs, outputs }) {
  const graph = concat([
    ...nodes.map((one) => block(1, node(one))),
    block(2, 'graph'),
    ...Object.entries(constants).map(([name, value]) => block(5, constant(name, value))),
    ...Object.entries(inputs).map(([name, shape]) => block(11, valueInfo(name, shape))),
    ...Object.entries(outputs).map(([name, shape]) => block(12, valueInfo(name, shape))),
  ]);
  const opset = concat([block(1, ''), number(2, 17)]);
  return concat([Uint8Array.from(number(1, 8)), block(7, graph), block(8, opset)]);
}
