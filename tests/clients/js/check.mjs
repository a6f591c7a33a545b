// Checks that a running node keeps to docs/protocol.md, and that a client written from that page
// can call it and serve it.
//
//   potluck up --no-mdns --listen /ip4/127.0.0.1/tcp/0 --data-dir DIR --json
//   node check.mjs MULTIADDR PICTURE LARGE_PICTURE DIR [POTLUCK]
//
// LARGE_PICTURE is above 256 KiB, DIR the node's data folder, POTLUCK the program's path.
import { Client, single } from './client.mjs'
import { multiaddr } from '@multiformats/multiaddr'
import { knock } from './admission.mjs'
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { decode, encode } from 'cborg'
import { blake3, merge, outline } from './blake3.mjs'
import { frame, frames, readAll, send, sendFrame } from './streams.mjs'

const [address, small, large, dataDir, potluck = 'potluck'] = process.argv.slice(2)
const [picture, largePicture] = [await readFile(small), await readFile(large)]
const client = await Client.start({ name: 'js', listen: ['/ip4/127.0.0.1/tcp/0'] })
let connection

const command = async (...args) => {
  const { stdout } = await promisify(execFile)(potluck, [...args, '--json', '--data-dir', dataDir])
  return JSON.parse(stdout)
}
const listed = async () => (await command('peers')).some(({ id }) => id === client.id.toString())
const recognize = (input, options, args = { model: null, top: 3 }) =>
  client.call(connection, 'recognize/1', args, { input, ...options })

// A line of its own beside that of the client, to send what the client would not.
const openLine = async () => {
  const stream = await connection.newStream('/potluck/call/2')
  const answers = frames(stream, 1024 * 1024)
  return {
    stream,
    send: (value) => sendFrame(stream, value),
    bytes: (bytes) => send(stream, bytes),
    /** The next frame, or null when the line ended. */
    next: async () => {
      const { done, value } = await answers.next().catch(() => ({ done: true }))
      return done ? null : decode(value)
    },
    /** Whether the line ends, after a last word about what was malformed. */
    async ended () {
      const frame = await this.next()
      return frame === null || (frame.Malformed !== undefined && await this.next() === null)
    },
    end: () => stream.abort(new Error('checked'))
  }
}
const chat = (call, text = 'hello') => ({
  Call: { call, capability: 'chat/1', deadline_ms: 10_000, args: encode({ text }), input: null, progress: false }
})
const picturesOf = (numbers) => numbers.map((call) => ({
  Call: { call, capability: 'recognize/1', deadline_ms: 60_000, args: encode({ model: null, top: 1 }), input: { Inline: picture }, progress: false }
}))
const range = (from, to) => Array.from({ length: to - from }, (_, i) => from + i)
const check = async (what, body) => {
  await body()
  console.log(`ok  ${what}`)
}

await check('BLAKE3 and its outline, against the official test vectors', () => {
  // test_vectors.json of the BLAKE3 repository: the input is 0, 1, …, 250, 0, 1, …
  const vectors = {
    0: 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262',
    1025: 'd00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444'
  }
  const input = (size) => Uint8Array.from({ length: size }, (_, i) => i % 251)
  const hex = (bytes) => Buffer.from(bytes).toString('hex')
  for (const [size, hash] of Object.entries(vectors)) assert.equal(hex(blake3(input(Number(size)))), hash)
  assert.equal(hex(merge(outline(largePicture))), hex(blake3(largePicture)))
})

await check('admission: who is of another mesh or version is told', async () => {
  const stranger = await Client.start({ name: 'stranger', mesh: 'lab' })
  await assert.rejects(stranger.connect(address), ({ verdict }) => verdict?.OtherMesh.mesh === 'potluck')
  await assert.rejects(
    stranger.libp2p.dial(multiaddr(address)).then((dialled) => knock(dialled, 'potluck', 99)),
    ({ verdict }) => verdict?.OtherVersion.version === 2
  )
  await stranger.stop()
})

await check('admission', async () => { connection = await client.connect(address) })

await check('chat/1', async () => {
  const { outcome } = await client.call(connection, 'chat/1', { text: 'hello' })
  assert.ok(decode(outcome.Done.body).text.length > 0)
})

let labels
await check('recognize/1 inline', async () => {
  labels = decode((await recognize(picture)).outcome.Done.body).labels.map(({ label }) => label)
  assert.equal(labels.length, 3)
})

await check('recognize/1 as a blob, with progress', async () => {
  assert.ok(largePicture.length > 256 * 1024)
  const notes = []
  const { outcome } = await recognize(largePicture, { progress: (percent, note) => notes.push([percent, note]) })
  assert.equal(decode(outcome.Done.body).labels.length, 3)
  assert.ok(notes.length > 0)
})

await check('a blob whose bytes do not fit its hash is refused', async () => {
  const changing = Buffer.from(largePicture)
  const answer = recognize(changing)
  changing[changing.length - 1] ^= 1 // after the hash was taken, before the node asks
  assert.equal((await answer).outcome.Failed.kind, 'input_lost')
})

await check('cancel', async () => {
  // Of many calls at once the last waits for a slot, so it is there to be cancelled.
  const abort = new AbortController()
  const others = Array.from({ length: 8 }, () => recognize(picture))
  const last = recognize(largePicture, { signal: abort.signal })
  await sleep(20)
  abort.abort()
  assert.equal((await last).outcome.Failed?.kind, 'cancelled')
  await Promise.all(others)
})

await check('a cancel of a call that does not run is ignored, and its number is free', async () => {
  const line = await openLine()
  for (let round = 0; round < 2; round++) {
    line.send({ Cancel: { call: 7, more: true } })
    line.send(chat(7))
    const { Answer } = await line.next()
    assert.equal(Answer.call, 7)
    assert.ok(Answer.answer.outcome.Done)
  }
  line.end()
})

await check('calls of one line are answered as they are done', async () => {
  const line = await openLine()
  picturesOf(range(0, 3)).forEach(line.send)
  line.send(chat(3))
  const order = []
  while (order.length < 4) order.push((await line.next()).Answer.call)
  assert.deepEqual([...order].sort(), [0, 1, 2, 3])
  assert.notEqual(order[3], 3, 'the chat waited for the pictures')
  line.end()
})

await check('the end of a line ends its calls', async () => {
  const line = await openLine()
  picturesOf(range(0, 100)).forEach(line.send)
  while (!(await line.next()).Answer.answer.outcome.Busy);
  line.end()
  await sleep(500) // the queue alone would need seconds
  const { outcome, queue } = await recognize(picture)
  assert.ok(outcome.Done)
  assert.equal(queue, 0)
})

await check('deadline', async () => {
  assert.equal((await recognize(largePicture, { deadlineMs: 1 })).outcome.Failed.kind, 'deadline')
})

await check('busy', async () => {
  const all = await Promise.all(Array.from({ length: 100 }, () => recognize(picture)))
  assert.ok(all.some(({ outcome }) => outcome.Done))
  assert.ok(all.some(({ outcome }) => outcome.Busy?.retry_after_ms > 0))
})

await check('kinds of failure', async () => {
  const kind = async (answer) => (await answer).outcome.Failed.kind
  assert.equal(await kind(client.call(connection, 'sing/1', {})), 'not_offered')
  assert.equal(await kind(recognize(picture, {}, { model: 'none', top: 1 })), 'no_variant')
  assert.equal(await kind(recognize(picture, {}, { model: null, top: 101 })), 'bad_input')
  assert.equal(await kind(recognize(new Uint8Array(100))), 'bad_input')
})

await check('of more than 256 calls at once the others are answered Busy', async () => {
  // That the queue of the capability is full is answered Busy too: only the sum can be seen from here.
  const line = await openLine()
  picturesOf(range(0, 300)).forEach(line.send)
  const answered = new Map()
  while (answered.size < 300) {
    const { Answer } = await line.next()
    answered.set(Answer.call, Answer.answer.outcome)
  }
  const busy = [...answered.values()].filter(({ Busy }) => Busy?.retry_after_ms > 0).length
  assert.ok(busy >= 44, `${busy} were busy`)
  assert.ok([...answered.values()].every(({ Busy, Done }) => Busy || Done))
  line.end()
})

await check('malformed frames are answered, and the line goes on', async () => {
  const line = await openLine()
  const call = chat(1).Call
  for (const bytes of [
    new Uint8Array(0),
    Buffer.from('this is not CBOR'),
    encode({ Cancel: { call: 1 } }).subarray(0, 5),
    Buffer.concat([encode({ Cancel: { call: 1 } }), Uint8Array.of(0)]),
    encode({ Cancel: {} }),
    encode('Parting'),
    encode({ Progress: { call: 1, percent: 1, note: '' } }),
    encode({ Call: { ...call, call: undefined } }),
    encode({ Call: { ...call, args: [1, 2] } }),
    encode({ Call: { ...call, args: new Uint8Array(64 * 1024 + 1) } }),
    encode({ Call: { ...call, capability: 'c'.repeat(129) } }),
    encode({ Call: { ...call, deadline_ms: 3_600_001 } }),
    encode({ Call: { ...call, input: { Inline: new Uint8Array(256 * 1024 + 1) } } }),
    encode({ Call: { ...call, input: { Blob: { hash: new Uint8Array(31), size: 300_000 } } } })
  ]) {
    await line.bytes(frame(bytes))
    const { Malformed } = await line.next()
    assert.ok(Malformed.reason.length > 0)
  }
  const longest = (more) => encode({ Cancel: { call: 9, more } })
  const head = longest(new Uint8Array(0x10000)).length - 0x10000
  await line.bytes(frame(longest(new Uint8Array(384 * 1024 - head))))
  const { input, progress, ...short } = call
  line.send({ Call: { ...short, progress } })
  assert.ok((await line.next()).Answer.answer.outcome.Done)
  line.end()
})

await check('a frame that is too long ends its line, and no other', async () => {
  const [line, other] = [await openLine(), await openLine()]
  line.bytes(frame(new Uint8Array(384 * 1024 + 1))).catch(() => {}) // the node does not take all of it
  assert.ok(await line.ended())
  other.send(chat(1))
  assert.ok((await other.next()).Answer.answer.outcome.Done)
  line.end()
  other.end()
})

await check('after 32 malformed frames the next ends the line', async () => {
  const line = await openLine()
  for (let i = 0; i < 32; i++) {
    await line.bytes(frame(Uint8Array.of(0xff)))
    assert.ok((await line.next()).Malformed)
  }
  await line.bytes(frame(Uint8Array.of(0xff)))
  assert.ok(await line.ended())
  line.end()
  assert.equal(connection.status, 'open')
})

await check('a peer has 4 lines', async () => {
  await client.call(connection, 'chat/1', { text: 'the first line' })
  const lines = [await openLine(), await openLine(), await openLine()]
  for (const line of lines) line.send(chat(1))
  for (const line of lines) assert.ok((await line.next()).Answer.answer.outcome.Done)
  const fifth = await openLine()
  fifth.send(chat(1))
  assert.equal(await fifth.next(), null)
  for (const line of lines) line.send(chat(2))
  for (const line of lines) assert.ok((await line.next()).Answer.answer.outcome.Done)
  for (const line of [...lines, fifth]) line.end()
})

await check('malformed requests to the mesh are answered', async () => {
  const answer = async (bytes) => decode(await client.rawRequest(connection, bytes)).Malformed.reason
  const exchange = { root: new Uint8Array(32), digest: null, adverts: [] }
  for (const bytes of [
    Buffer.from('this is not CBOR'),
    encode({ Exchange: exchange }).subarray(0, 5),
    Buffer.concat([encode({ Exchange: exchange }), Uint8Array.of(0)]),
    encode({ Exchange: { ...exchange, root: new Uint8Array(31) } }),
    encode({ Exchange: { digest: null, adverts: [] } }),
    encode(chat(1)),
    new Uint8Array(384 * 1024 + 1),
    new Uint8Array(2_000_000)
  ]) assert.ok((await answer(bytes)).length > 0)
  const { Exchange } = await client.request(connection, { Exchange: { ...exchange, more: true } })
  assert.deepEqual(Exchange, { same: false, adverts: [], want: [], losses: [] })
  assert.equal((await client.rawRequest(connection, new Uint8Array(0))).length, 0)
})

await check('pulse, asked by the client', async () => assert.ok(await client.pulse(connection)))

await check('exchange: the node is known here and the client there', async () => {
  client.offer('chat/1', async ({ args, progress }) => {
    await progress(50, 'thinking')
    return { body: { text: `JavaScript heard: ${args.text}`, rule: null } }
  })
  client.offer('recognize/1', async ({ input }) => ({
    body: {
      labels: [{ label: `${input.length} bytes`, index: 0, probability: single(0.9) }], model: 'length', engine: 'node', device: 'cpu'
    }
  }))
  const { want } = await client.exchange(connection)
  assert.deepEqual(want, [], 'the advert was not believed')
  const node = client.adverts.find(({ name }) => name !== 'js')
  assert.ok(node.offers.some(({ capability }) => capability === 'recognize/1'))
  assert.ok(await listed())
  assert.equal((await client.exchange(connection)).want.length, 0)
})

await check('the client serves a call', async () => {
  const answer = await command('ask', 'hi', '--peer', client.id.toString())
  assert.equal(answer.text, 'JavaScript heard: hi')
  assert.equal(answer.served_by.id, client.id.toString())
})

await check('the client fetches a blob and serves it', async () => {
  const answer = await command('recognize', large, '--peer', client.id.toString())
  assert.match(JSON.stringify(answer), new RegExp(`${largePicture.length} bytes`))
})

await check('pulse, asked by the node, and the connection stays; a frame that is not finished ends its line', async () => {
  const line = await openLine()
  await line.bytes(frame(encode(chat(1))).subarray(0, 9))
  await Promise.all([sleep(22_000), line.next().then((answer) => assert.equal(answer, null))])
  line.end()
  assert.ok(client.pulses > 5)
  assert.equal(connection.status, 'open')
  assert.ok(await listed())
})

await check('leaving', async () => {
  await client.exchange(connection, { leaving: true })
  assert.ok(!await listed())
})

await check('after 32 malformed requests to the mesh the connection is closed', async () => {
  for (let i = 0; i < 40 && connection.status === 'open'; i++) {
    await client.rawRequest(connection, Uint8Array.of(0xff)).catch(() => {})
  }
  await sleep(200)
  assert.notEqual(connection.status, 'open')
})

// What no capability of a node shows: this client called by another.
client.offer('data/1', async ({ args: { size } }) => ({ body: size, data: new Uint8Array(largePicture.subarray(0, size)) }))
client.offer('slow/1', ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', resolve)))
const other = await Client.start({ name: 'other' })
const toClient = await other.connect(client.libp2p.getMultiaddrs()[0].toString())
const slow = (signal) => other.call(toClient, 'slow/1', {}, { signal })

await check('an answer brings data, inline or as a blob that is given up afterwards', async () => {
  for (const size of [1, 256 * 1024, largePicture.length]) {
    const { outcome, data } = await other.call(toClient, 'data/1', { size })
    assert.equal(decode(outcome.Done.body), size)
    assert.equal(Buffer.compare(data, largePicture.subarray(0, size)), 0)
  }
  await other.call(toClient, 'data/1', { size: 1 }) // the Cancel went before on the same line
  const stream = await toClient.newStream('/potluck/blob/1')
  await send(stream, Buffer.concat([blake3(largePicture), new Uint8Array(4)]))
  assert.deepEqual([...await readAll(stream, 1024)], [1])
})

await check('of 257 calls at once the last is Busy, and each can be cancelled', async () => {
  const aborts = range(0, 256).map(() => new AbortController())
  const calls = aborts.map(({ signal }) => slow(signal))
  assert.ok((await slow()).outcome.Busy)
  for (const abort of aborts) abort.abort()
  for (const { outcome } of await Promise.all(calls)) assert.equal(outcome.Failed.kind, 'cancelled')
})

await check('calls fail when their line ends, and the next call opens another', async () => {
  const call = slow()
  await sleep(100)
  for (const stream of toClient.streams) if (stream.protocol === '/potluck/call/2') stream.abort(new Error('cut'))
  await assert.rejects(call)
  assert.ok((await other.call(toClient, 'data/1', { size: 1 })).outcome.Done)
})

await other.stop()
await client.stop()
