// What is read from libp2p streams and written to them: pieces of a known size, all of a stream, and
// the frames of a line.
import { encode } from 'cborg'
import { join } from './blake3.mjs'

const FRAME_MS = 20_000
const writing = new WeakMap() // stream → promise that its frames so far are written

/** Reads a stream in pieces of given sizes. */
export class Reader {
  #source
  #left = new Uint8Array(0)
  constructor (stream) { this.#source = stream[Symbol.asyncIterator]() }

  async take (count) {
    const parts = [this.#left]
    let have = this.#left.length
    while (have < count) {
      const { done, value } = await this.#source.next()
      if (done) throw new Error('the stream ended early')
      parts.push(value.subarray())
      have += value.byteLength
    }
    const all = join(parts)
    this.#left = all.subarray(count)
    return all.subarray(0, count)
  }

  /** Waits for the next byte, which stays; false at the end of the stream. */
  async more () {
    if (this.#left.length > 0) return true
    const { done, value } = await this.#source.next()
    if (!done) this.#left = value.subarray()
    return !done
  }
}

/** The frames that arrive on a line, as bytes, until its end. One above `limit` or too slow is an error. */
export async function * frames (stream, limit) {
  const reader = new Reader(stream)
  while (await reader.more()) yield await takeFrame(stream, reader, limit)
}

async function takeFrame (stream, reader, limit) {
  const timer = setTimeout(() => stream.abort(new Error('a frame was not finished')), FRAME_MS)
  try {
    const length = Buffer.from(await reader.take(4)).readUInt32BE()
    if (length > limit) throw new Error('a frame is too long')
    return await reader.take(length)
  } finally {
    clearTimeout(timer)
  }
}

/** Writes `value` as one frame after those before it; nothing if nobody can read it any more. */
export function sendFrame (stream, value) {
  const bytes = frame(encode(value))
  const all = written(stream).then(() => send(stream, bytes)).catch(() => {})
  writing.set(stream, all)
}

/** Waits until the frames so far are written. */
export async function written (stream) { await writing.get(stream) }

export function frame (bytes) {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return join([length, bytes])
}

export async function readAll (stream, limit) {
  const parts = []
  let size = 0
  for await (const part of stream) {
    size += part.byteLength
    if (size > limit) throw new Error('too long')
    parts.push(part.subarray())
  }
  return join(parts)
}

// Piece by piece: js-libp2p sends all that waits as one frame of yamux, and nodes end a connection
// that brings one above 1 MiB.
export async function send (stream, bytes) {
  for (let at = 0; at < bytes.length; at += 65536) {
    stream.send(bytes.subarray(at, at + 65536))
    while (stream.writableNeedsDrain && stream.status === 'open') await drained(stream)
  }
}

// Not `stream.onDrain()`: it waits only the first time.
async function drained (stream) {
  let resolve
  const event = new Promise((done) => { resolve = done })
  for (const name of ['drain', 'close']) stream.addEventListener(name, resolve)
  await event
  for (const name of ['drain', 'close']) stream.removeEventListener(name, resolve)
}
