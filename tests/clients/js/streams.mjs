// What is read from libp2p streams and written to them: pieces of a known size, all of a stream, and
// the frames of a line.
import { encode } from 'cborg'
import { join } from './blake3.mjs'

const FRAME_MS = 20_000

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

/** The frames that arrive on a line, as bytes, until its end. One that is above `limit` or too slow ends the line. */
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
  } catch (error) {
    stream.abort(error)
    throw error
  } finally {
    clearTimeout(timer)
  }
}

/** Writes `value` as one frame, in one piece because others write too; nothing if nobody can read it any more. */
export function sendFrame (stream, value) {
  if (stream.writeStatus === 'writable') stream.send(frame(encode(value)))
}

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

export async function send (stream, bytes) {
  for (let at = 0; at < bytes.length; at += 65536) {
    if (!stream.send(bytes.subarray(at, at + 65536))) await stream.onDrain()
  }
}
