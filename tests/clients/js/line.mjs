// The two sides of a line, the stream that carries all calls of one node to another.
import { decode } from 'cborg'
import { frames, sendFrame, written } from './streams.mjs'

export const LONGEST_CALL_MS = 3_600_000
export const INLINE_LIMIT = 256 * 1024
const CALLER_FRAME_LIMIT = 384 * 1024
const SERVER_FRAME_LIMIT = 1024 * 1024
const CALLS_AT_ONCE = 256
const MALFORMED_LIMIT = 32
const ARGS_LIMIT = 64 * 1024
const NAME_LIMIT = 128
const KEPT_LIMIT = 32

/** The caller's side of a line. */
export class Line {
  #stream
  #calls = new Map() // number → { resolve, reject, progress }
  #nextCall = 1

  constructor (stream) {
    this.#stream = stream
    this.#listen()
      .catch((error) => error)
      .then((error = new Error('the peer ended the line')) => {
        stream.abort(error)
        for (const { reject } of this.#calls.values()) reject(error)
      })
  }

  get open () { return this.#stream.status === 'open' && this.#stream.writeStatus === 'writable' }

  /** Sends a call. `answer` is { outcome, queue }, or an error when the line ends first. */
  call (fields, progress) {
    const call = this.#nextCall++
    const answer = new Promise((resolve, reject) => this.#calls.set(call, { resolve, reject, progress }))
    sendFrame(this.#stream, { Call: { call, progress: progress !== undefined, ...fields } })
    return { call, answer: answer.finally(() => this.#calls.delete(call)) }
  }

  /** Ends a call that runs, or gives up the data of its answer. */
  cancel (call) { sendFrame(this.#stream, { Cancel: { call } }) }

  /** No answer is awaited any more. */
  giveUp (call, error) {
    this.cancel(call)
    this.#calls.get(call)?.reject(error)
  }

  async #listen () {
    for await (const frame of frames(this.#stream, SERVER_FRAME_LIMIT)) {
      const { Answer, Progress, Malformed } = decode(frame)
      if (Answer) this.#calls.get(Answer.call)?.resolve(Answer.answer)
      if (Progress) this.#calls.get(Progress.call)?.progress?.(Progress.percent, Progress.note)
      if (Malformed) throw new Error(`the peer could not read a frame: ${Malformed.reason}`)
    }
  }
}

/**
 * The server's side of a line, until its end. `serve(call, progress, signal)` gives { answer, takeBack };
 * `takeBack()`, if there is one, is called when the caller has given up the answer's data.
 */
export async function serveLine (stream, serve) {
  const running = new Map() // call → AbortController
  const kept = new Map() //    call → takeBack, the oldest first
  let malformed = 0
  const giveUp = (call) => {
    kept.get(call)?.()
    kept.delete(call)
  }
  const run = async (call) => {
    const controller = new AbortController()
    running.set(call.call, controller)
    const progress = (percent, note) => {
      if (call.progress && running.has(call.call)) sendFrame(stream, { Progress: { call: call.call, percent, note } })
    }
    const { answer, takeBack } = await serve(call, progress, controller.signal)
    running.delete(call.call)
    giveUp(call.call) // of an earlier call with this number
    if (takeBack) kept.set(call.call, takeBack)
    if (stream.status !== 'open') giveUp(call.call)
    if (kept.size > KEPT_LIMIT) giveUp(kept.keys().next().value)
    sendFrame(stream, { Answer: { call: call.call, answer } })
  }
  try {
    for await (const frame of frames(stream, CALLER_FRAME_LIMIT)) {
      const { Call, Cancel, reason } = read(frame)
      if (Call && running.size >= CALLS_AT_ONCE) {
        const outcome = { Busy: { retry_after_ms: 1000 } }
        sendFrame(stream, { Answer: { call: Call.call, answer: { outcome, queue: running.size } } })
      } else if (Call && !running.has(Call.call)) {
        run(Call).catch((error) => stream.abort(error))
      } else if (Cancel) {
        running.get(Cancel.call)?.abort()
        giveUp(Cancel.call)
      } else {
        sendFrame(stream, { Malformed: { reason: reason ?? 'the number of a running call' } })
        if (++malformed > MALFORMED_LIMIT) break
      }
    }
  } catch (error) { // a frame that is too long, or the stream broke and nobody reads this
    sendFrame(stream, { Malformed: { reason: error.message } })
  } finally {
    for (const controller of running.values()) controller.abort()
    for (const call of [...kept.keys()]) giveUp(call)
    await written(stream)
    await stream.close().catch(() => {})
    stream.abort(new Error('the line ended'))
  }
}

/** A frame from a caller: { Call } or { Cancel }, or the `reason` why it is neither. */
function read (frame) {
  try {
    const { Call, Cancel } = decode(frame)
    if (Cancel && isNumber(Cancel.call)) return { Cancel }
    if (Call && isNumber(Call.call) && isNumber(Call.deadline_ms) && keepsLimits(Call)) return { Call }
    return { reason: 'neither a call nor a cancel, or a limit is broken' }
  } catch (error) {
    return { reason: error.message }
  }
}

const isNumber = (value) => typeof value === 'bigint' || Number.isInteger(value)

function keepsLimits ({ capability, deadline_ms: deadlineMs, args, input }) {
  return Buffer.byteLength(capability) <= NAME_LIMIT && deadlineMs <= LONGEST_CALL_MS &&
    args instanceof Uint8Array && args.length <= ARGS_LIMIT &&
    (!input || input.Blob?.hash.length === 32 || input.Inline?.length <= INLINE_LIMIT)
}
