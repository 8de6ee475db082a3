/** Writes frames as the server does: the reader's counterpart, for tests. */

const NAMES = { Float64Array: "F64", Float32Array: "F32", Int32Array: "I32", Int8Array: "I8" };

/** @typedef {{shape: number[], data: Float64Array | Float32Array | Int32Array | Int8Array}} Column */

/** @param {Record<string, string | number>} meta @param {Record<string, Column>} columns @returns {ArrayBuffer} */
export function frame(meta, columns) {
  const sorted = Object.entries(columns).sort(([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);
  /** @type {Record<string, unknown>} */
  const header = { __metadata__: Object.fromEntries(Object.entries(meta).map(([key, value]) => [key, String(value)])) };
  let at = 0;
  for (const [name, { shape, data }] of sorted) {
    const dtype = NAMES[/** @type {keyof typeof NAMES} */ (data.constructor.name)];
    header[name] = { dtype, shape, data_offsets: [at, at + data.byteLength] };
    at += data.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + padded + at).fill(32);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.set(text, 8);
  let to = 8 + padded;
  for (const [, { data }] of sorted) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), to);
    to += data.byteLength;
  }
  return bytes.buffer;
}

/** @param {number[]} values @param {number[]} [shape] @returns {Column} */
export const f64 = (values, shape = [values.length]) => ({ shape, data: Float64Array.from(values) });
/** @param {number[]} values @param {number[]} [shape] @returns {Column} */
export const f32 = (values, shape = [values.length]) => ({ shape, data: Float32Array.from(values) });
/** @param {number[]} values @param {number[]} [shape] @returns {Column} */
export const i32 = (values, shape = [values.length]) => ({ shape, data: Int32Array.from(values) });
