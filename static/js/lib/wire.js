/**
 * Binary frames: 8 bytes length of the header (little-endian), a JSON header padded so that data starts at a multiple of 8, then raw columns.
 * The typed arrays are views into the frame; nothing is copied.
 */

/** @typedef {import("../types.d.ts").Frame} Frame */

/** @type {Record<string, Float32ArrayConstructor | Float64ArrayConstructor | Int32ArrayConstructor | Int8ArrayConstructor>} */
const TYPES = { F32: Float32Array, F64: Float64Array, I32: Int32Array, I8: Int8Array };

/**
 * @param {ArrayBuffer} buffer a whole frame
 * @returns {Frame}
 * @throws {Error} when the frame is shorter than it says or holds an unknown type
 */
export function decode(buffer) {
  const view = new DataView(buffer);
  const length = Number(view.getBigUint64(0, true));
  if (length > buffer.byteLength - 8) throw new Error(`frame: header of ${length} bytes in ${buffer.byteLength}`);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const start = 8 + length;
  /** @type {Frame} */
  const frame = { meta: header.__metadata__ ?? {}, columns: {} };
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const { dtype, shape, data_offsets: [from, to] } = entry;
    const Type = TYPES[dtype];
    if (!Type) throw new Error(`frame: column ${name} has the unknown type ${dtype}`);
    frame.columns[name] = { shape, data: /** @type {import("../types.d.ts").Numbers} */ (new Type(buffer, start + from, (to - from) / Type.BYTES_PER_ELEMENT)) };
  }
  return frame;
}
