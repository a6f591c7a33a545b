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
import { generateKeyPair } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { decode, encode } from 'cborg'
import { createLibp2p } from 'libp2p'
import { GROUP, blake3, groupValue, join, merge, outline } from './blake3.mjs'
import { INLINE_LIMIT, LONGEST_CALL_MS, Line, serveLine } from './line.mjs'
import { ADMISSION, answerKnock, knock } from './admission.mjs'
import { patientYamux } from './muxer.mjs'
import { sign, verify } from './signed.mjs'
import { Reader, readAll, send } from './streams.mjs'

const CALLS = '/potluck/call/2'
const MESH = '/potluck/exchange/2'
const BLOBS = '/potluck/blob/1'
const PULSE = '/potluck/pulse/1'
const PING = '/ipfs/ping/1.0.0'
const STREAM_LIMIT = 256
const MESH_LIMIT = 32
const LINE_LIMIT = 4
const REQUEST_LIMIT = 384 * 1024
const RESPONSE_LIMIT = 1024 * 1024
const INPUT_LIMIT = 64 * 1024 * 1024
const DATA_LIMIT = 1024 * 1024 * 1024
const ADVERT_CONTEXT = 'potluck-advert-1:'

/**
 * A node of the mesh that calls others and, once something is offered, serves them.
 * It keeps no gossip: it learns of others, and they of it, by `exchange`. A fetched input is not
 * resumed after a broken stream.
 */
export class Client {
  #offers = new Map() //    capability → { handler, listed, running: how many of its calls run }
  #admissions = new WeakMap() // connection → whether it was let in
  #lines = new WeakMap() // connection → promise of the Line for the calls over it
  #blobs = new Map() //     hash in hex → { bytes, outlineBytes, peers: [peer id] }
  #adverts = new Map() //   client id in hex → { advert, signed }
  #incarnation = Math.floor(Math.random() * Number.MAX_SAFE_INTEGER)
  #seq = 0
  #pulses = 0
  /** What letters to this client are sealed to: an age recipient, told in the advert. */
  sealing

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
      streamMuxers: [patientYamux({ streamOptions: { inactivityTimeout: LONGEST_CALL_MS } })],
      services: { identify: identifyAs(`potluck/2/${mesh}`) }
    })
    const options = { maxInboundStreams: STREAM_LIMIT, maxOutboundStreams: STREAM_LIMIT }
    await client.libp2p.handle(ADMISSION, (stream, connection) => client.#answerKnock(stream, connection))
    await client.libp2p.handle(CALLS, (stream, connection) => client.#serveCalls(stream, connection), { maxInboundStreams: LINE_LIMIT })
    await client.libp2p.handle(MESH, (stream) => client.#serveRequest(stream), { maxInboundStreams: MESH_LIMIT })
    await client.libp2p.handle(BLOBS, (stream, connection) => client.#serveBlob(stream, connection), options)
    await client.libp2p.handle(PULSE, (stream) => echo(stream, () => client.#pulses++), options)
    // Nodes answer the pings of js-libp2p's connection monitor only if their own are answered.
    await client.libp2p.handle(PING, (stream) => echo(stream), options)
    return client
  }

  get id () { return this.libp2p.peerId }
  /** How often a node watched whether this client is still there. */
  get pulses () { return this.#pulses }
  get adverts () { return [...this.#adverts.values()].map(({ advert }) => advert) }

  /** Connects to a node and knocks: an error says why it does not let this client in. */
  async connect (address) {
    const connection = await this.libp2p.dial(multiaddr(address))
    // `dial` also gives a connection that stands already. Over one that the node dialled, the node knocks.
    const admission = this.#admission(connection)
    if (connection.direction === 'outbound' && !admission.knocked) {
      admission.knocked = true
      knock(connection, this.mesh).then(admission.resolve, admission.reject)
    }
    await admission.promise
    return connection
  }

  /** Whether this connection was let in, whichever side of it knocks: { promise, resolve, reject, knocked }. */
  #admission (connection) {
    const known = this.#admissions.get(connection)
    if (known) return known
    const admission = { ...Promise.withResolvers(), knocked: false }
    admission.promise.catch(() => {}) // perhaps nobody waits for it
    // A knock of this side's ends by itself, and knows why.
    connection.addEventListener('close', () => admission.knocked || admission.reject(new Error('the connection ended')))
    this.#admissions.set(connection, admission)
    return admission
  }

  async #answerKnock (stream, connection) {
    const admission = this.#admission(connection)
    await answerKnock(stream, connection, this.mesh).then(admission.resolve, admission.reject)
  }

  async stop () { await this.libp2p.stop() }

  /**
   * Serves `capability` with `async handler({ args, input, from, fetch, progress, signal })`, which gives { body, data };
   * `data`, bytes, may be absent; `from` is the caller. Peers learn of it by the next `exchange`, if it is `listed`.
   */
  offer (capability, handler, { listed = true } = {}) { this.#offers.set(capability, { handler, listed, running: 0 }) }

  /**
   * Returns { outcome, queue, data }; `outcome.Done.body` is CBOR. `input` and `data`: bytes or null.
   * `progress(percent, note)` is told how far it is; aborting `signal` cancels the call.
   */
  async call (connection, capability, args, { input = null, deadlineMs = 30_000, progress, signal } = {}) {
    const lent = input === null ? null : this.#lend(input, connection.remotePeer)
    const fields = { capability, deadline_ms: deadlineMs, args: encode(args), input: lent?.payload ?? null }
    try {
      return await this.#callOn(await this.#line(connection), connection, fields, progress, signal)
    } finally {
      lent?.takeBack?.()
    }
  }

  async #callOn (line, connection, fields, progress, signal) {
    const { call, answer } = line.call(fields, progress)
    const cancel = () => line.cancel(call)
    if (signal?.aborted) cancel()
    signal?.addEventListener('abort', cancel)
    const timer = setTimeout(() => line.giveUp(call, new Error('no answer in time')), fields.deadline_ms + 5000)
    try {
      const { outcome, queue } = await answer
      return { outcome, queue, data: await this.#dataOf(outcome, connection, cancel) }
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', cancel)
    }
  }

  /** The line over this connection, opened with the first call and again when it broke. */
  #line (connection) {
    const line = Promise.resolve(this.#lines.get(connection)).catch(() => null)
      .then(async (line) => line?.open ? line : new Line(await connection.newStream(CALLS)))
    this.#lines.set(connection, line)
    return line
  }

  async #dataOf ({ Done }, connection, giveUp) {
    if (!Done?.data?.Blob) return Done?.data?.Inline ?? null
    try {
      return await this.#fetch(connection, Done.data.Blob, DATA_LIMIT)
    } finally {
      giveUp()
    }
  }

  /** One request, one response. */
  async request (connection, request, timeoutMs = 20_000) {
    return decode(await this.rawRequest(connection, encode(request), timeoutMs))
  }

  /** Bytes there, bytes back. */
  async rawRequest (connection, bytes, timeoutMs = 20_000) {
    const stream = await connection.newStream(MESH, { signal: AbortSignal.timeout(timeoutMs) })
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
    const offers = [...this.#offers].filter(([, { listed }]) => listed).map(([capability, { running }]) => ({
      capability, device: 'cpu', engine: 'node', call_ms: single(400), slots: 4, queue: running, variants: [], repeat: 'safe'
    }))
    const signed = await sign(this.privateKey, ADVERT_CONTEXT, {
      version: 2,
      id: this.id.toMultihash().bytes,
      seq: this.#seq,
      incarnation: this.#incarnation,
      name: this.name,
      mesh: this.mesh,
      addresses: this.libp2p.getMultiaddrs().map((address) => address.decapsulateCode(421).bytes),
      offers,
      leaving,
      ...(this.sealing && { sealing: this.sealing })
    })
    await this.#take([signed])
  }

  async #take (adverts) {
    for (const signed of adverts) {
      const advert = await verify(signed, ADVERT_CONTEXT, 'id').catch(() => null)
      if (advert?.version !== 2 || advert.mesh !== this.mesh) continue
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
    if (Buffer.compare(root, rootOf(mine)) === 0) return { same: true, adverts: [], want: [], losses: [] }
    if (digest === null) return { same: false, adverts: [], want: [], losses: [] }
    const seqIn = (list, id) => list.find((entry) => Buffer.compare(entry.id, id) === 0)?.seq ?? -1
    return {
      same: false,
      adverts: known.filter(({ advert }) => seqIn(digest, advert.id) < advert.seq).map(({ signed }) => signed),
      want: digest.filter(({ id, seq }) => seqIn(mine, id) < seq).map(({ id }) => id),
      losses: []
    }
  }

  // ---- serving

  async #serveRequest (stream) {
    const bytes = await readAll(stream, REQUEST_LIMIT).catch((error) => error)
    if (bytes.length === 0) return stream.close()
    await send(stream, encode(await this.#respond(bytes).catch((error) => ({ Malformed: { reason: error.message } }))))
    await stream.close()
  }

  async #respond (bytes) {
    if (bytes instanceof Error) throw bytes
    const request = decode(bytes)
    if (request === 'Parting') return 'Done'
    if (request.Exchange) return { Exchange: await this.#exchanged(request.Exchange) }
    throw new Error('unknown request')
  }

  #serveCalls (stream, connection) {
    return serveLine(stream, (call, progress, signal) => this.#serveCall(connection, call, progress, signal))
  }

  async #serveCall (connection, { capability, deadline_ms: deadlineMs, args, input }, progress, signal) {
    const offer = this.#offers.get(capability)
    if (!offer) {
      const Failed = { kind: 'not_offered', message: `${capability} is not offered here` }
      return { answer: { outcome: { Failed }, queue: 0 } }
    }
    const started = Date.now()
    const deadline = AbortSignal.timeout(Number(deadlineMs))
    const stop = AbortSignal.any([signal, deadline])
    const stopped = new Promise((resolve, reject) => stop.addEventListener('abort', () => reject(stop.reason)))
    const work = async () => {
      const bytes = input?.Blob ? await this.#fetchInput(connection, input.Blob) : input?.Inline ?? null
      const fetch = (blob) => this.#fetchInput(connection, blob)
      return offer.handler({
        args: decode(args), input: bytes, from: connection.remotePeer, fetch, progress, signal: stop
      })
    }
    let outcome, takeBack
    offer.running++
    try {
      const { body, data = null } = await Promise.race([work(), stopped])
      const lent = data === null ? null : this.#lend(data, connection.remotePeer)
      takeBack = lent?.takeBack
      outcome = { Done: { body: encode(body), data: lent?.payload ?? null, waited_ms: 0, ran_ms: Date.now() - started } }
    } catch (error) {
      const kind = signal.aborted ? 'cancelled' : deadline.aborted ? 'deadline' : error?.kind ?? 'internal'
      outcome = { Failed: { kind, message: String(error?.message ?? error) } }
    }
    offer.running--
    return { answer: { outcome, queue: offer.running }, takeBack }
  }

  async #fetchInput (connection, blob) {
    if (blob.size > INPUT_LIMIT) throw Object.assign(new Error('the input is too large'), { kind: 'too_large' })
    return this.#fetch(connection, blob, INPUT_LIMIT).catch((error) => {
      throw Object.assign(error, { kind: 'input_lost' })
    })
  }

  // ---- blobs

  /** The payload that brings `bytes` to `peer`: inline, or as a blob that is here until `takeBack()`. */
  #lend (bytes, peer) {
    return bytes.length <= INLINE_LIMIT ? { payload: { Inline: bytes } } : this.lendBlob(bytes, peer)
  }

  /** A blob that `peer` may fetch until `takeBack()`. */
  lendBlob (bytes, peer) {
    const outlineBytes = outline(bytes)
    const hash = bytes.length > GROUP ? merge(outlineBytes) : outlineBytes
    const name = Buffer.from(hash).toString('hex')
    const entry = this.#blobs.get(name) ?? { bytes, outlineBytes, peers: [] }
    entry.peers.push(peer.toString())
    this.#blobs.set(name, entry)
    return {
      payload: { Blob: { hash, size: bytes.length } },
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

  async #fetch (connection, { hash, size }, limit) {
    if (size > limit) throw new Error('too large')
    const stream = await connection.newStream(BLOBS)
    await send(stream, join([hash, new Uint8Array(4)]))
    const reader = new Reader(stream)
    const head = Buffer.from(await reader.take(1))
    if (head[0] !== 0) throw new Error('the peer does not offer the blob')
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
    // Before it let this client in, a node speaks nothing but admission.
    const service = identify({ runOnConnectionOpen: false })(components)
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

async function echo (stream, heard = () => {}) {
  for await (const chunk of stream) {
    heard()
    stream.send(chunk.subarray())
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
