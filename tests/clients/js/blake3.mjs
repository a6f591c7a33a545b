// BLAKE3 with the chaining values of subtrees, which the usual packages do not show.
// Source: the BLAKE3 paper, sections 2.1 (tree), 2.2 (compression), 2.4 (chunks).

export const GROUP = 256 * 1024

const CHUNK = 1024
const [CHUNK_START, CHUNK_END, PARENT, ROOT] = [1, 2, 4, 8]
const IV = Uint32Array.of(
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19)
const PERMUTATION = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8]
const SCHEDULE = Array.from({ length: 7 }, (_, round) => {
  let order = [...PERMUTATION.keys()]
  for (let i = 0; i < round; i++) order = PERMUTATION.map((p) => order[p])
  return order
})

/** The BLAKE3 hash of `bytes`: 32 bytes. */
export function blake3 (bytes) {
  return toBytes(subtree(bytes, 0, ROOT))
}

/** The outline of a blob: one chaining value (32 bytes) a group, the plain hash if there is only one. */
export function outline (bytes) {
  if (bytes.length <= GROUP) return blake3(bytes)
  const values = []
  for (let at = 0; at < bytes.length; at += GROUP) values.push(groupValue(bytes.subarray(at, at + GROUP), at / GROUP))
  return join(values)
}

/** The chaining value of group number `index` of a blob with several groups. */
export function groupValue (bytes, index) {
  return toBytes(subtree(bytes, index * GROUP / CHUNK, 0))
}

/** The hash that an outline merges into. */
export function merge (outlineBytes) {
  const values = []
  for (let at = 0; at < outlineBytes.length; at += 32) values.push(toWords(outlineBytes.subarray(at, at + 32)))
  const node = (from, to, flags) => {
    if (to - from === 1) return values[from]
    const middle = from + leftShare(to - from)
    return parent(node(from, middle, 0), node(middle, to, 0), flags)
  }
  return toBytes(node(0, values.length, ROOT))
}

// `first` is the number of the first chunk in the whole input; `flags` is ROOT or 0.
function subtree (bytes, first, flags) {
  const chunks = Math.max(1, Math.ceil(bytes.length / CHUNK))
  if (chunks === 1) return chunk(bytes, first, flags)
  const left = leftShare(chunks)
  return parent(
    subtree(bytes.subarray(0, left * CHUNK), first, 0),
    subtree(bytes.subarray(left * CHUNK), first + left, 0), flags)
}

// The largest power of two below `count`.
function leftShare (count) {
  return 2 ** (31 - Math.clz32(count - 1))
}

function chunk (bytes, number, flags) {
  const blocks = Math.max(1, Math.ceil(bytes.length / 64))
  let value = IV
  for (let i = 0; i < blocks; i++) {
    const block = bytes.subarray(i * 64, i * 64 + 64)
    const padded = new Uint8Array(64)
    padded.set(block)
    const last = i === blocks - 1
    value = compress(value, toWords(padded), number, block.length,
      (i === 0 ? CHUNK_START : 0) | (last ? CHUNK_END | flags : 0))
  }
  return value
}

function parent (left, right, flags) {
  return compress(IV, Uint32Array.of(...left, ...right), 0, 64, PARENT | flags)
}

function compress (value, message, counter, length, flags) {
  const v = new Uint32Array(16)
  v.set(value)
  v.set(IV.subarray(0, 4), 8)
  v.set([counter, Math.floor(counter / 2 ** 32), length, flags], 12)
  const rotate = (x, n) => (x >>> n) | (x << (32 - n))
  const mix = (a, b, c, d, x, y) => {
    v[a] += v[b] + x; v[d] = rotate(v[d] ^ v[a], 16)
    v[c] += v[d]; v[b] = rotate(v[b] ^ v[c], 12)
    v[a] += v[b] + y; v[d] = rotate(v[d] ^ v[a], 8)
    v[c] += v[d]; v[b] = rotate(v[b] ^ v[c], 7)
  }
  for (const s of SCHEDULE) {
    const m = (i) => message[s[i]]
    mix(0, 4, 8, 12, m(0), m(1)); mix(1, 5, 9, 13, m(2), m(3))
    mix(2, 6, 10, 14, m(4), m(5)); mix(3, 7, 11, 15, m(6), m(7))
    mix(0, 5, 10, 15, m(8), m(9)); mix(1, 6, 11, 12, m(10), m(11))
    mix(2, 7, 8, 13, m(12), m(13)); mix(3, 4, 9, 14, m(14), m(15))
  }
  return v.subarray(0, 8).map((word, i) => word ^ v[i + 8])
}

function toWords (bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return Uint32Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(i * 4, true))
}

function toBytes (words) {
  const bytes = new Uint8Array(words.length * 4)
  words.forEach((word, i) => new DataView(bytes.buffer).setUint32(i * 4, word, true))
  return bytes
}

/** One array from several. */
export function join (parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) { all.set(part, at); at += part.length }
  return all
}
