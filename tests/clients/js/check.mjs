// Checks that a running node keeps to docs/protocol.md, and that a client written from that page
// can call it and serve it.
//
//   potluck up --no-mdns --listen /ip4/127.0.0.1/tcp/0 --data-dir DIR --json
//   node check.mjs MULTIADDR PICTURE LARGE_PICTURE DIR [POTLUCK]
//
// LARGE_PICTURE is above 256 KiB, DIR the node's data folder, POTLUCK the program's path.
import { Client, single } from './client.mjs'
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { decode, encode } from 'cborg'
import { blake3, merge, outline } from './blake3.mjs'

const [address, small, large, dataDir, potluck = 'potluck'] = process.argv.slice(2)
const [picture, largePicture] = [await readFile(small), await readFile(large)]
const client = await Client.start({ name: 'js', listen: ['/ip4/127.0.0.1/tcp/0'] })
const connection = await client.connect(address)

const command = async (...args) => {
  const { stdout } = await promisify(execFile)(potluck, [...args, '--json', '--data-dir', dataDir])
  return JSON.parse(stdout)
}
const listed = async () => (await command('peers')).some(({ id }) => id === client.id.toString())
const recognize = (input, options, args = { model: null, top: 3 }) =>
  client.call(connection, 'recognize/1', args, { input, ...options })
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

await check('a cancel that overtakes its call', async () => {
  const call = 1_000_000
  assert.equal(await client.request(connection, { Cancel: { call } }), 'Done')
  const args = encode({ text: 'hello' })
  const request = { Call: { call, capability: 'chat/1', deadline_ms: 1000, args, input: null, progress: false } }
  assert.equal((await client.request(connection, request)).Answer.outcome.Failed.kind, 'cancelled')
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

await check('malformed requests are answered', async () => {
  const answer = async (bytes) => decode(await client.rawRequest(connection, bytes)).Malformed.reason
  for (const bytes of [
    Buffer.from('this is not CBOR'),
    encode({ Cancel: { call: 1 } }).subarray(0, 5),
    Buffer.concat([encode('Parting'), Uint8Array.of(0)]),
    encode({ Cancel: {} }),
    encode({ Progress: { call: 1, percent: 101, note: '' } }),
    new Uint8Array(384 * 1024 + 1),
    new Uint8Array(2_000_000)
  ]) assert.ok((await answer(bytes)).length > 0)
  assert.equal(await client.request(connection, { Cancel: { call: 999, more: true } }), 'Done')
})

await check('pulse, asked by the client', async () => assert.ok(await client.pulse(connection)))

await check('exchange: the node is known here and the client there', async () => {
  client.offer('chat/1', async ({ args, progress }) => {
    await progress(50, 'thinking')
    return { text: `JavaScript heard: ${args.text}`, rule: null }
  })
  client.offer('recognize/1', async ({ input }) => ({
    labels: [{ label: `${input.length} bytes`, index: 0, probability: single(0.9) }], model: 'length', engine: 'node', device: 'cpu'
  }))
  client.offer('slow/1', ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', resolve)))
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

await check('pulse, asked by the node, and the connection stays', async () => {
  await sleep(20_000)
  assert.ok(client.pulses > 5)
  assert.equal(connection.status, 'open')
  assert.ok(await listed())
})

await check('leaving', async () => {
  await client.exchange(connection, { leaving: true })
  assert.ok(!await listed())
})

await check('after 32 malformed requests the connection is closed', async () => {
  for (let i = 0; i < 40 && connection.status === 'open'; i++) {
    await client.rawRequest(connection, Uint8Array.of(0xff)).catch(() => {})
  }
  await sleep(200)
  assert.notEqual(connection.status, 'open')
})

await client.stop()
