// A Potluck client in JavaScript, written from docs/protocol.md.
//
//   node client.mjs MULTIADDR chat TEXT...
//   node client.mjs MULTIADDR recognize FILE
//
// MULTIADDR is /ip4/…/tcp/…/p2p/<client id>. `Client` below is the part to reuse.
import './polyfill.mjs'
import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { generateKeyPair, publicKeyFromProtobuf, publicKeyToProtobuf } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { decode, encode } from 'cborg'
import { createLibp2p } from 'libp2p'
import { GROUP, blake3, groupValue, join, merge, outline } from './blake3.mjs'

const CALLS = '/potluck/1'
const BLOBS = '/potluck/blob/1'
const PULSE = '/potluck/pulse/1'
const PING = '/ipfs/ping/1.0.0'
const STREAM_LIMIT = 256
const INLINE_LIMIT = 256 * 1024
const REQUEST_LIMIT = 384 * 1024
const RESPONSE_LIMIT = 1024 * 1024
const BLOB_LIMIT = 64 * 1024 * 1024
const ADVERT_CONTEXT = new TextEncoder().encode('potluck-advert-1:')
const LONGEST_CALL_MS = 3_600_000

/**
 * A node of the mesh that calls others and, once something is offered, serves them.
 * It keeps no gossip: it learns of others, and they of it, by `exchange`. A fetched input is not
 * resumed after a broken stream.
 */
export class Client {
  #offers = new Map() //   capability → async ({ args, input, progress, signal }) => body
  #blobs = new Map() //    hash in hex → { bytes, outline, peers: [peer id] }
  #progress = new Map() // peer id + call → function
  #serving = new Map() //  peer id + call → AbortController
  #overtaken = [] //       peer id + call of cancels that came before their call
  #adverts = new Map() //  client id in hex → { advert, signed }
  #nextCall = 1
  #incarnation = Math.floor(Math.random() * Number.MAX_SAFE_INTEGER)
  #seq = 0
  #pulses = 0

  /** `listen`: multiaddrs to be reached on; none is enough for a client that dials. */
  static async start ({ name = 'js', mesh = 'potluck', listen = [], privateKey } = {}) {
    const client = new Client()
    client.name = name
    client.mesh = mesh
    client.privateKey = privateKey ?? await generateKeyPair('Ed25519')
    client.libp2p = await createLibp2p({
      privateKey: client.privateKey,
      addresses: { listen },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux({ streamOptions: { inactivityTimeout: LONGEST_CALL_MS } })],
      services: { identify: identifyAs(`potluck/1/${mesh}`) }
    })
    const options = { maxInboundStreams: STREAM_LIMIT, maxOutboundStreams: STREAM_LIMIT }
    await client.libp2p.handle(CALLS, (stream, connection) => client.#serveRequest(stream, connection), options)
    await client.libp2p.handle(BLOBS, (stream, connection) => client.#serveBlob(stream, connection), options)
    await client.libp2p.handle(PULSE, (stream) => echo(stream, () => client.#pulses++), options)
    // Nodes answer the pings of js-libp2p's connection monitor only if their own are answered.
    await client.libp2p.handle(PING, (stream) => echo(stream), options)
    client.libp2p.addEventListener('peer:disconnect', ({ detail: peer }) => client.#callerLeft(peer))
    return client
  }

  get id () { return this.libp2p.peerId }
  /** How often a node watched whether this client is still there. */
  get pulses () { return this.#pulses }
  get adverts () { return [...this.#adverts.values()].map(({ advert }) => advert) }

  async connect (address) { return this.libp2p.dial(multiaddr(address)) }
  async stop () { await this.libp2p.stop() }

  /** Serves `capability` with `handler({ args, input, progress, signal })`; peers learn of it by the next `exchange`. */
  offer (capability, handler) { this.#offers.set(capability, handler) }

  /**
   * Returns { outcome, queue }; `outcome.Done.body` is CBOR. `input`: bytes or null.
   * `progress(percent, note)` is told how far it is; aborting `signal` cancels the call.
   */
  async call (connection, capability, args, { input = null, deadlineMs = 30_000, progress, signal } = {}) {
    const call = this.#nextCall++
    const key = `${connection.remotePeer} ${call}`
    const blob = input !== null && input.length > INLINE_LIMIT ? this.#lend(input, connection.remotePeer) : null
    if (progress) this.#progress.set(key, progress)
    const cancel = () => this.request(connection, { Cancel: { call } }).catch(() => {})
    signal?.addEventListener('abort', cancel)
    try {
      const response = await this.request(connection, {
        Call: {
          call,
          capability,
          deadline_ms: deadlineMs,
          args: encode(args),
          input: input === null ? null : blob?.input ?? { Inline: input },
          progress: progress !== undefined
        }
      }, deadlineMs + 5000)
      if (!response.Answer) throw new Error(`no answer but ${JSON.stringify(response)}`)
      return response.Answer
    } finally {
      signal?.removeEventListener('abort', cancel)
      this.#progress.delete(key)
      blob?.takeBack()
    }
  }

  /** One request, one response. */
  async request (connection, request, timeoutMs = 20_000) {
    return decode(await this.rawRequest(connection, encode(request), timeoutMs))
  }

  /** Bytes there, bytes back. */
  async rawRequest (connection, bytes, timeoutMs = 20_000) {
    const stream = await connection.newStream(CALLS, { signal: AbortSignal.timeout(timeoutMs) })
    const timer = setTimeout(() => stream.abort(new Error('no response in time')), timeoutMs)
    try {
      // An over-long request is answered before it was read: do not insist on sending all of it.
      const sent = send(stream, bytes).then(() => stream.close())
      const response = readAll(stream, RESPONSE_LIMIT)
      sent.catch(() => {})
      return await response
    } finally {
      clearTimeout(timer)
      if (stream.status === 'open') stream.abort(new Error('answered'))
    }
  }

  /** Tells the peer all that is known here, the own advert renewed, and learns what it knows. */
  async exchange (connection, { leaving = false } = {}) {
    await this.#renew(leaving)
    const digest = this.#digest()
    const root = rootOf(digest)
    const [own] = this.#find([this.id.toMultihash().bytes])
    const response = await this.request(connection, { Exchange: { root, digest, adverts: [own] } })
    if (!response.Exchange) throw new Error(`no exchange but ${JSON.stringify(response)}`)
    await this.#take(response.Exchange.adverts)
    const wanted = this.#find(response.Exchange.want)
    if (wanted.length > 0) await this.request(connection, { Exchange: { root, digest: null, adverts: wanted } })
    return response.Exchange
  }

  /** Ask for a pulse: true if the peer echoes within 2.5 s. */
  async pulse (connection) {
    const stream = await connection.newStream(PULSE)
    const timer = setTimeout(() => stream.abort(new Error('no echo')), 2500)
    try {
      stream.send(Uint8Array.of(7))
      for await (const chunk of stream) return chunk.subarray()[0] === 7
      return false
    } finally {
      clearTimeout(timer)
      stream.abort(new Error('enough'))
    }
  }

  // ---- adverts

  async #renew (leaving) {
    this.#seq = Math.max(Date.now(), this.#seq + 1)
    const offers = [...this.#offers.keys()].map((capability) => ({
      capability, device: 'cpu', engine: 'node', speed: single(10), slots: 4, queue: this.#serving.size, variants: []
    }))
    const body = encode({
      version: 1,
      id: this.id.toMultihash().bytes,
      seq: this.#seq,
      incarnation: this.#incarnation,
      name: this.name,
      mesh: this.mesh,
      addresses: this.libp2p.getMultiaddrs().map((address) => address.decapsulateCode(421).bytes),
      offers,
      leaving
    })
    const signature = await this.privateKey.sign(join([ADVERT_CONTEXT, body]))
    await this.#take([{ body, key: publicKeyToProtobuf(this.privateKey.publicKey), signature }])
  }

  async #take (adverts) {
    for (const signed of adverts) {
      const advert = await verify(signed).catch(() => null)
      if (advert?.version !== 1 || advert.mesh !== this.mesh) continue
      const id = Buffer.from(advert.id).toString('hex')
      const known = this.#adverts.get(id)
      if (!known || known.advert.seq < advert.seq) this.#adverts.set(id, { advert, signed })
    }
  }

  #digest () {
    return this.adverts.map(({ id, seq }) => ({ id, seq })).sort((a, b) => Buffer.compare(a.id, b.id))
  }

  #find (ids) {
    return [...this.#adverts.values()]
      .filter(({ advert }) => ids.some((id) => Buffer.compare(id, advert.id) === 0))
      .map(({ signed }) => signed)
  }

  async #exchanged ({ root, digest, adverts }) {
    await this.#take(adverts)
    const known = [...this.#adverts.values()]
    const mine = this.#digest()
    if (Buffer.compare(root, rootOf(mine)) === 0) return { same: true, adverts: [], want: [] }
    if (digest === null) return { same: false, adverts: [], want: [] }
    const seqIn = (list, id) => list.find((entry) => Buffer.compare(entry.id, id) === 0)?.seq ?? -1
    return {
      same: false,
      adverts: known.filter(({ advert }) => seqIn(digest, advert.id) < advert.seq).map(({ signed }) => signed),
      want: digest.filter(({ id, seq }) => seqIn(mine, id) < seq).map(({ id }) => id)
    }
  }

  // ---- serving

  async #serveRequest (stream, connection) {
    try {
      const request = decode(await readAll(stream, REQUEST_LIMIT))
      await send(stream, encode(await this.#respond(request, connection)))
      await stream.close()
    } catch (error) {
      stream.abort(error)
    }
  }

  async #respond (request, connection) {
    if (request === 'Parting') return 'Done'
    if (request.Exchange) return { Exchange: await this.#exchanged(request.Exchange) }
    if (request.Call) return this.#serveCall(request.Call, connection)
    if (request.Cancel) {
      const key = `${connection.remotePeer} ${request.Cancel.call}`
      if (this.#serving.has(key)) this.#serving.get(key).abort()
      else this.#overtaken = [...this.#overtaken.slice(-255), key]
      return 'Done'
    }
    if (request.Progress) {
      const { call, percent, note } = request.Progress
      this.#progress.get(`${connection.remotePeer} ${call}`)?.(percent, note)
      return 'Done'
    }
    return { Malformed: { reason: 'unknown request' } }
  }

  async #serveCall ({ call, capability, deadline_ms: deadlineMs, args, input, progress }, connection) {
    const answer = (outcome) => ({ Answer: { outcome, queue: this.#serving.size } })
    const handler = this.#offers.get(capability)
    if (!handler) return answer({ Failed: { kind: 'not_offered', message: `${capability} is not offered here` } })
    const key = `${connection.remotePeer} ${call}`
    if (this.#overtaken.includes(key)) return answer({ Failed: { kind: 'cancelled', message: 'cancelled' } })
    const controller = new AbortController()
    this.#serving.set(key, controller)
    const started = Date.now()
    const tell = (percent, note) => progress && this.request(connection, { Progress: { call, percent, note } })
    const deadline = setTimeout(() => controller.abort('deadline'), deadlineMs)
    try {
      const stopped = new Promise((resolve, reject) =>
        controller.signal.addEventListener('abort', () => reject(controller.signal.reason)))
      const work = async () => {
        const bytes = input?.Inline ?? (input?.Blob ? await this.#fetch(connection, input.Blob) : null)
        return handler({ args: decode(args), input: bytes, progress: tell, signal: controller.signal })
      }
      const body = await Promise.race([work(), stopped])
      return answer({ Done: { body: encode(body), waited_ms: 0, ran_ms: Date.now() - started } })
    } catch (error) {
      const kind = error === 'deadline' ? 'deadline' : controller.signal.aborted ? 'cancelled' : 'internal'
      return answer({ Failed: { kind, message: String(error?.message ?? error) } })
    } finally {
      clearTimeout(deadline)
      this.#serving.delete(key)
    }
  }

  #callerLeft (peer) {
    for (const [key, controller] of this.#serving) if (key.startsWith(`${peer} `)) controller.abort()
  }

  // ---- blobs

  #lend (bytes, peer) {
    const outlineBytes = outline(bytes)
    const hash = bytes.length > GROUP ? merge(outlineBytes) : outlineBytes
    const name = Buffer.from(hash).toString('hex')
    const entry = this.#blobs.get(name) ?? { bytes, outlineBytes, peers: [] }
    entry.peers.push(peer.toString())
    this.#blobs.set(name, entry)
    return {
      input: { Blob: { hash, size: bytes.length } },
      takeBack: () => {
        entry.peers.splice(entry.peers.indexOf(peer.toString()), 1)
        if (entry.peers.length === 0) this.#blobs.delete(name)
      }
    }
  }

  async #serveBlob (stream, connection) {
    try {
      const ask = await new Reader(stream).take(36)
      const entry = this.#blobs.get(Buffer.from(ask.subarray(0, 32)).toString('hex'))
      const from = Buffer.from(ask).readUInt32BE(32)
      if (!entry?.peers.includes(connection.remotePeer.toString())) {
        await send(stream, Uint8Array.of(1))
      } else {
        const head = Buffer.alloc(9)
        head.writeBigUInt64BE(BigInt(entry.bytes.length), 1)
        await send(stream, head)
        await send(stream, entry.outlineBytes)
        await send(stream, entry.bytes.subarray(from * GROUP))
      }
      await stream.close()
    } catch (error) {
      stream.abort(error)
    }
  }

  async #fetch (connection, { hash, size }) {
    if (size > BLOB_LIMIT) throw new Error('too large')
    const stream = await connection.newStream(BLOBS)
    await send(stream, join([hash, new Uint8Array(4)]))
    const reader = new Reader(stream)
    const head = Buffer.from(await reader.take(1))
    if (head[0] !== 0) throw new Error('the caller does not have the input')
    if (Number(Buffer.from(await reader.take(8)).readBigUInt64BE()) !== Number(size)) throw new Error('wrong size')
    const groups = Math.max(1, Math.ceil(Number(size) / GROUP))
    const values = await reader.take(32 * groups)
    if (Buffer.compare(groups === 1 ? values : merge(values), hash) !== 0) throw new Error('wrong outline')
    const parts = []
    for (let i = 0; i < groups; i++) {
      const group = await reader.take(Math.min(GROUP, Number(size) - i * GROUP))
      const value = groups === 1 ? blake3(group) : groupValue(group, i)
      if (Buffer.compare(value, values.subarray(32 * i, 32 * i + 32)) !== 0) throw new Error('broken group')
      parts.push(group)
    }
    await stream.close()
    return join(parts)
  }
}

// js-libp2p fixes identify's `protocolVersion` to "<prefix>/0.1.0"; Potluck names its mesh there.
function identifyAs (version) {
  return (components) => {
    const service = identify()(components)
    service.host.protocolVersion = version
    return service
  }
}

// An f32 must be written in single precision, but CBOR encoders choose the shortest exact form. The
// last bit of the mantissa makes that the single one.
export function single (value) {
  const float = Float32Array.of(value)
  new Uint32Array(float.buffer)[0] |= 1
  return float[0]
}

function rootOf (digest) {
  return blake3(join(digest.map(({ id, seq }) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64BE(BigInt(seq))
    return join([Uint8Array.of(id.length), id, bytes])
  })))
}

async function verify ({ body, key: encodedKey, signature }) {
  const key = publicKeyFromProtobuf(encodedKey)
  const advert = decode(body)
  if (Buffer.compare(peerIdFromPublicKey(key).toMultihash().bytes, advert.id) !== 0) throw new Error('another id')
  if (!await key.verify(join([ADVERT_CONTEXT, body]), signature)) throw new Error('wrong signature')
  return advert
}

async function echo (stream, heard = () => {}) {
  for await (const chunk of stream) {
    heard()
    stream.send(chunk.subarray())
  }
}

/** Reads a stream in pieces of given sizes. */
class Reader {
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
}

async function readAll (stream, limit) {
  const parts = []
  let size = 0
  for await (const part of stream) {
    size += part.byteLength
    if (size > limit) throw new Error('too long')
    parts.push(part.subarray())
  }
  return join(parts)
}

async function send (stream, bytes) {
  for (let at = 0; at < bytes.length; at += 65536) {
    if (!stream.send(bytes.subarray(at, at + 65536))) await stream.onDrain()
  }
}

async function main ([address, what, ...rest]) {
  if (!address || !['chat', 'recognize'].includes(what) || rest.length === 0) {
    console.error('usage: node client.mjs MULTIADDR chat TEXT... | recognize FILE')
    return 2
  }
  const client = await Client.start()
  try {
    const connection = await client.connect(address)
    const { outcome } = what === 'chat'
      ? await client.call(connection, 'chat/1', { text: rest.join(' ') })
      : await client.call(connection, 'recognize/1', { model: null, top: 5 }, { input: await readFile(rest[0]) })
    if (!outcome.Done) throw new Error(outcome.Failed?.message ?? outcome.Refused?.reason ?? 'it is busy, try later')
    const body = decode(outcome.Done.body)
    if (what === 'chat') console.log(body.text)
    else for (const { label, probability } of body.labels) console.log(`${(100 * probability).toFixed(1)} %  ${label}`)
    return 0
  } finally {
    await client.stop()
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.exitCode = await main(process.argv.slice(2)).catch((error) => {
    console.error(error.message)
    return 1
  })
}
