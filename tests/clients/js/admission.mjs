// Admission: the first stream of a connection, on which whoever dialled says hello and the other side
// answers whether it may come in. One frame each way, after which the side that sent it ends its half.
import { decode, encode } from 'cborg'
import { Reader, frame, send } from './streams.mjs'

export const ADMISSION = '/potluck/admission/1'
const VERSION = 2
const FRAME_LIMIT = 4096
const ADMISSION_MS = 5000

/** Knocks at whom `connection` was dialled to; an error says why this client is not let in. */
export async function knock (connection, mesh, version = VERSION) {
  try {
    const stream = await connection.newStream(ADMISSION, { signal: AbortSignal.timeout(ADMISSION_MS) })
    await say(stream, { version, mesh })
    const verdict = await hear(stream)
    const admitted = verdict.Admitted
    if (admitted?.version !== VERSION || admitted.mesh !== mesh) throw new NotAdmitted(verdict)
  } catch (error) {
    connection.abort(error)
    throw error
  }
}

/** The peer does not let this client in: `verdict` says why. */
export class NotAdmitted extends Error {
  constructor (verdict) {
    super(`not admitted: ${JSON.stringify(verdict)}`)
    this.verdict = verdict
  }
}

/** Answers a peer that dialled, an error if it is not let in; there is always room. js-libp2p serves other streams even before. */
export async function answerKnock (stream, connection, mesh) {
  const hello = await hear(stream)
  const verdict = hello.version !== VERSION
    ? { OtherVersion: { version: VERSION } }
    : hello.mesh !== mesh ? { OtherMesh: { mesh } } : { Admitted: { version: VERSION, mesh } }
  await say(stream, verdict)
  if (verdict.Admitted) return
  const error = new NotAdmitted(verdict)
  setTimeout(() => connection.abort(error), 1000)
  throw error
}

async function say (stream, value) {
  await send(stream, frame(encode(value)))
  await stream.close()
}

async function hear (stream) {
  const timer = setTimeout(() => stream.abort(new Error('no frame in time')), ADMISSION_MS)
  try {
    const reader = new Reader(stream)
    const length = Buffer.from(await reader.take(4)).readUInt32BE()
    if (length > FRAME_LIMIT) throw new Error('a frame is too long')
    return decode(await reader.take(length))
  } finally {
    clearTimeout(timer)
  }
}
