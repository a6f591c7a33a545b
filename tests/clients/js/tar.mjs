// The archive inside of a letter: tar (ustar with GNU long names), files and folders only.
// Source: the manual of GNU tar, "Basic Tar Format".
import { join } from './blake3.mjs'

const BLOCK = 512
const NAME_LIMIT = 100
const [FILE, FOLDER, LONG_NAME] = ['0', '5', 'L']
// Where a header has its fields: [from, bytes].
const NAME = [0, 100]
const MODE = [100, 8]
const OWNER = [108, 8]
const GROUP = [116, 8]
const SIZE = [124, 12]
const TIME = [136, 12]
const CHECKSUM = [148, 8]
const TYPE = 156
const MAGIC = [257, 8]
const PREFIX = [345, 155]

/** An archive of `entries`: { path, bytes }, where a path that ends with a slash is a folder. */
export function pack (entries) {
  const parts = entries.flatMap(({ path, bytes = new Uint8Array(0) }) => {
    const name = new TextEncoder().encode(path)
    const long = name.length < NAME_LIMIT
      ? []
      : member('././@LongLink', LONG_NAME, join([name, new Uint8Array(1)]))
    return [...long, ...member(name.subarray(0, NAME_LIMIT - 1), path.endsWith('/') ? FOLDER : FILE, bytes)]
  })
  return join([...parts, new Uint8Array(2 * BLOCK)])
}

/** The entries of the archive at the front of `bytes`, and where it ends. */
export function unpack (bytes) {
  const entries = []
  let longName = null
  for (let at = 0; ;) {
    const header = block(bytes, at)
    if (isZero(header)) {
      if (!isZero(block(bytes, at + BLOCK))) throw new Error('one block of zeros does not end an archive')
      return { entries, end: at + 2 * BLOCK }
    }
    const { type, size } = read(header)
    const from = at + BLOCK
    if (from + size > bytes.length) throw new Error('the archive is cut off')
    const content = bytes.subarray(from, from + size)
    if (type === LONG_NAME) longName = text(content)
    else {
      entries.push({ path: longName ?? pathIn(header), folder: type === FOLDER, bytes: content })
      longName = null
    }
    at = from + padded(size)
  }
}

function member (name, type, content) {
  const header = Buffer.alloc(BLOCK)
  header.set(typeof name === 'string' ? Buffer.from(name) : name)
  octal(header, MODE, type === FOLDER ? 0o755 : 0o644)
  for (const field of [OWNER, GROUP, TIME]) octal(header, field, 0)
  octal(header, SIZE, content.length)
  header.write(type, TYPE)
  header.write('ustar\x0000', MAGIC[0])
  octal(header, CHECKSUM, checksum(header))
  return [header, content, new Uint8Array(padded(content.length) - content.length)]
}

function read (header) {
  if (number(header, CHECKSUM) !== checksum(header)) throw new Error('a header is broken')
  const type = String.fromCharCode(header[TYPE] || 0x30)
  if (![FILE, FOLDER, LONG_NAME].includes(type)) throw new Error(`an entry of type ${type}`)
  return { type, size: number(header, SIZE) }
}

function pathIn (header) {
  // Only POSIX's ustar has the prefix; GNU's has times in that place.
  const prefix = text(field(header, MAGIC)) === 'ustar' ? text(field(header, PREFIX)) : ''
  const name = text(field(header, NAME))
  return prefix ? `${prefix}/${name}` : name
}

// All bytes of the header, its own place counted as spaces.
function checksum (header) {
  const [from, size] = CHECKSUM
  return header.reduce((sum, byte, at) => sum + (at >= from && at < from + size ? 0x20 : byte), 0)
}

function octal (header, [from, size], value) {
  header.write(value.toString(8).padStart(size - 1, '0'), from)
}

// Octal digits or, where the first bit is set, a large number in binary.
function number (header, place) {
  const bytes = field(header, place)
  if (bytes[0] & 0x80) return bytes.subarray(1).reduce((sum, byte) => sum * 256 + byte, bytes[0] & 0x7f)
  return Number.parseInt(text(bytes).trim() || '0', 8)
}

function field (header, [from, size]) {
  return header.subarray(from, from + size)
}

function text (bytes) {
  const end = bytes.indexOf(0)
  return new TextDecoder('utf-8', { fatal: true }).decode(end < 0 ? bytes : bytes.subarray(0, end))
}

function block (bytes, at) {
  if (at + BLOCK > bytes.length) throw new Error('the archive is cut off')
  return bytes.subarray(at, at + BLOCK)
}

const isZero = (bytes) => bytes.every((byte) => byte === 0)
const padded = (size) => Math.ceil(size / BLOCK) * BLOCK
