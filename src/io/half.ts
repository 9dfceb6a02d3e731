// Converts 16-bit floats to f32. Every float16 and bfloat16 is also an f32, so nothing is rounded.

const view = /* @__PURE__ */ new DataView(/* @__PURE__ */ new ArrayBuffer(4));
const floatOf = (bits: number): number => {
  view.setInt32(0, bits);
  return view.getFloat32(0);
};

/** Converts a bfloat16, the upper half of a float32. */
export const fromBfloat16 = (bits: number): number => floatOf(bits << 16);

/** Converts an IEEE float16: 1 bit sign, 5 bits exponent, 10 bits fraction. */
export function fromFloat16(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return floatOf(((bits & 0x8000) << 16) | 0x7f800000 | (fraction << 13));
  const size = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return bits & 0x8000 ? -size : size;
}
