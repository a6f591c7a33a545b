// Checks that a client written from docs/protocol.md can send letters to nodes and take theirs.
//
//   node check-mail.mjs POTLUCK
//
// POTLUCK is the program's path. The nodes are the check's own: on loopback, in a folder that is erased at its end.
import assert from 'node:assert/strict'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { peerIdFromString } from '@libp2p/peer-id'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { decode, encode } from 'cborg'
import { blake3 } from './blake3.mjs'
import { Client } from './client.mjs'
import {
  ENVELOPE_CONTEXT, LETTER_CONTEXT, RECEIPT_CONTEXT, decrypted, envelopeId, encrypted, isAbout, open, readEnvelope, readReceipt, same,
  signEnvelope, signReceipt, write
} from './letter.mjs'
import { Mailbox, hand, sealingOf, tell } from './mailbox.mjs'
import { Nodes, eventually } from './nodes.mjs'
import { idOf, sign } from './signed.mjs'
import { pack } from './tar.mjs'

const [potluck = 'potluck'] = process.argv.slice(2)
const TEXT = 'See you at five. 五点见。'
const SMALL = { path: 'notes/五.txt', bytes: new TextEncoder().encode('a small file') }
// Above 256 KiB, so that it travels as a blob of several groups.
const LARGE = { path: 'large.bin', bytes: Uint8Array.from({ length: 700_000 }, (_, n) => n * 31 + Math.floor(n / 251)) }

const nodes = await Nodes.of(potluck)
const keyPair = await generateKeyPair('Ed25519')
const identity = await generateX25519Identity()
let alice, keeper, client, box, toAlice, toKeeper

const check = async (what, body) => {
  await body()
  console.log(`ok  ${what}`)
}
const bytesOf = (id) => peerIdFromString(id).toMultihash().bytes
const hex = (bytes) => Buffer.from(bytes).toString('hex')
const text = (string) => new TextEncoder().encode(string)

// The same client each time: its key, and what letters to it are sealed to.
async function startClient () {
  client = await Client.start({ name: 'js', listen: ['/ip4/127.0.0.1/tcp/0'], privateKey: keyPair })
  box = await Mailbox.open(client, join(nodes.folder, 'js'), identity)
}

const meetAlice = async () => {
  toAlice = await client.connect(alice.address)
  await client.exchange(toAlice)
}
const meetKeeper = async () => {
  toKeeper = await client.connect(keeper.address)
  await client.exchange(toKeeper)
}

let number = 0
const writeToAlice = (more) => {
  const to = bytesOf(alice.id)
  number++
  return write({ privateKey: keyPair, to, sealing: sealingOf(client, to), number, message: TEXT, files: [SMALL], ...more })
}
const toldOf = ({ envelope }) => box.receipts.map(({ receipt }) => receipt)
  .filter((receipt) => isAbout(receipt, decode(envelope.body)))
const inAlicesBox = async ({ envelope }) =>
  (await alice.command('inbox')).find(({ id }) => id === hex(decode(envelope.body).id))
const send = (...what) => alice.command('send', '--to', client.id.toString(), ...what)
const stateOf = async (id) => (await alice.command('outbox')).find((letter) => letter.id === id)
const hasState = (id, state) => eventually(state, async () => (await stateOf(id)).state === state)
const came = (id) => eventually('the letter', () => box.letters.find(({ envelope }) => hex(envelope.id) === id))

async function alone () {
  await check('a letter that this client wrote opens here, and a changed one does not', async () => {
    const to = idOf((await generateKeyPair('Ed25519')).publicKey)
    const { envelope, sealed } = await write({
      privateKey: keyPair, to, sealing: await identityToRecipient(identity), message: TEXT, files: [SMALL]
    })
    const fields = await readEnvelope(envelope)
    const { message, files } = await open(fields, sealed, identity)
    assert.equal(message, TEXT)
    assert.deepEqual(files.map(({ path }) => path), [SMALL.path])
    await assert.rejects(open({ ...fields, number: 2 }, sealed, identity), /another number/)
    const plain = await decrypted(sealed, identity)
    plain[512] ^= 1 // the first byte of the text
    const changed = await encrypted(plain, fields.sealing)
    await assert.rejects(open({ ...fields, hash: blake3(changed) }, changed, identity), /does not fit/)
  })
}

async function toANode () {
  await check('adverts say what letters are sealed to; mail/1 is not among the offers', async () => {
    await meetAlice()
    await meetKeeper()
    const advert = client.adverts.find(({ id }) => same(id, bytesOf(alice.id)))
    assert.match(advert.sealing, /^age1/)
    assert.ok(!advert.offers.some(({ capability }) => capability === 'mail/1'))
    assert.ok((await alice.command('contacts')).some(({ id, takes_letters: takes }) => id === client.id.toString() && takes))
  })

  let first
  await check('a letter to a node: its receipt says delivered, its inbox has the text and the file', async () => {
    first = await writeToAlice()
    const { receipt } = await hand(client, toAlice, 'mail/1', first)
    assert.equal(receipt.fate, 'delivered')
    assert.ok(same(receipt.by, bytesOf(alice.id)))
    const shown = await inAlicesBox(first)
    assert.deepEqual([shown.text, shown.trouble, shown.from], [TEXT, null, client.id.toString()])
    const folder = join(nodes.folder, 'saved')
    const { saved } = await alice.command('inbox', shown.id, '--save', folder)
    assert.ok(saved.length > 0)
    assert.ok(same(new Uint8Array(await readFile(join(folder, SMALL.path))), SMALL.bytes))
  })

  await check('the recipient tells the sender itself: delivered, and read once it was shown', async () => {
    const [{ id }] = await alice.command('inbox')
    await alice.command('inbox', id)
    await eventually('a receipt that says read', () => toldOf(first).some(({ fate }) => fate === 'read'))
    assert.ok(toldOf(first).some(({ fate }) => fate === 'delivered'))
  })

  await check('a letter that comes again is answered, and is in the inbox once', async () => {
    const { receipt } = await hand(client, toAlice, 'mail/1', first)
    assert.ok(['delivered', 'read'].includes(receipt.fate))
    assert.equal((await alice.command('inbox')).length, 1)
  })

  await check('a letter of several groups, with a folder and a name of over 100 bytes', async () => {
    const long = { path: `${'folder/'.repeat(15)}名字.txt`, bytes: new Uint8Array(1) }
    const letter = await writeToAlice({ message: undefined, files: [{ path: 'empty/' }, long, LARGE] })
    assert.equal((await hand(client, toAlice, 'mail/1', letter)).receipt.fate, 'delivered')
    const shown = await eventually('the opened letter', async () => {
      const shown = await inAlicesBox(letter)
      return shown?.files && shown
    })
    assert.deepEqual([shown.text, shown.trouble], [null, null])
    assert.deepEqual(shown.files.map(({ path }) => path).sort(), ['empty', long.path, LARGE.path].sort())
    const folder = join(nodes.folder, 'saved large')
    await alice.command('inbox', shown.id, '--save', folder)
    assert.equal(hex(blake3(await readFile(join(folder, LARGE.path)))), hex(blake3(LARGE.bytes)))
  })

  await check('a letter to a key that the recipient does not have is refused, and the receipt says why', async () => {
    const { receipt } = await hand(client, toAlice, 'mail/1',
      await writeToAlice({ sealing: await identityToRecipient(await generateX25519Identity()) }))
    assert.equal(receipt.fate, 'refused')
    assert.ok(receipt.why.length > 0 && Buffer.byteLength(receipt.why) <= 256)
    assert.ok(same(receipt.by, bytesOf(alice.id)))
  })

  await check('kinds of failure: an envelope that does not fit is not answered with a receipt', async () => {
    const stranger = await generateKeyPair('Ed25519')
    const letter = await writeToAlice()
    const envelope = decode(letter.envelope.body)
    const failure = async (envelope, sealed = letter.sealed) =>
      (await hand(client, toAlice, 'mail/1', { envelope, sealed })).outcome.Failed?.kind
    const said = (more, key = keyPair) => sign(key, ENVELOPE_CONTEXT, { ...envelope, ...more })
    assert.equal(await failure({ ...letter.envelope, signature: new Uint8Array(64) }), 'bad_input')
    assert.equal(await failure(await said({}, stranger)), 'bad_input')
    assert.equal(await failure(await said({ to: bytesOf(keeper.id) })), 'bad_input')
    assert.equal(await failure(await said({ expires_at: envelope.expires_at + 1 })), 'bad_input')
    assert.equal(await failure(await said({ version: 2 })), 'bad_input')
    assert.equal(await failure(await said({ more: 'x'.repeat(1024) })), 'bad_input')
    assert.equal(await failure(letter.envelope, null), 'bad_input')
    assert.equal(await failure(await said({ hash: new Uint8Array(32) })), 'input_lost')
    const { outcome } = await client.call(toAlice, 'mail/1', { Postcard: {} })
    assert.equal(outcome.Failed.kind, 'not_understood')
    // None of these spoiled the letter itself; another one of its id is not taken afterwards.
    assert.equal((await hand(client, toAlice, 'mail/1', letter)).receipt.fate, 'delivered')
    const again = { number: envelope.number, writtenAt: envelope.written_at, message: 'another' }
    const other = await writeToAlice(again)
    assert.equal(await failure(other.envelope, other.sealed), 'bad_input')
    // Nor can anybody else give theirs that id.
    assert.equal(await failure(await said({ number: envelope.number + 1 })), 'bad_input')
  })

  await check('a letter that somebody else sealed anew arrives, is not believed, and is refused then', async () => {
    const letter = await writeToAlice()
    const envelope = await readEnvelope(letter.envelope)
    const archive = pack([{ path: 'message.txt', bytes: text('not written by the sender') }])
    const seal = { version: 1, envelope: envelope.id, ...envelope, payload: blake3(archive) }
    const signed = await sign(await generateKeyPair('Ed25519'), LETTER_CONTEXT, seal)
    const forged = await encrypted(Buffer.concat([archive, encode(signed)]), envelope.sealing)
    const put = { sealed: forged, envelope: await signEnvelope(keyPair, seal, forged, envelope.expires_at) }
    assert.equal((await hand(client, toAlice, 'mail/1', put)).receipt.fate, 'delivered')
    const shown = await eventually('the trouble', async () => {
      const shown = await inAlicesBox(put)
      return shown.trouble && shown
    })
    assert.equal(shown.text, null)
    await eventually('a receipt that says refused', () => toldOf(put).some(({ fate, why }) => fate === 'refused' && why))
  })

  await check('receipts are noted, of any kind; more than 256 at once are not', async () => {
    const about = decode(first.envelope.body)
    const receipts = [await signReceipt(keyPair, about, 'delivered'), await signReceipt(keyPair, about, 'lost')]
    assert.equal((await tell(client, toAlice, receipts)).body, 'Noted')
    assert.equal((await tell(client, toAlice, [])).body, 'Noted')
    const rubbish = { body: new Uint8Array(1), key: new Uint8Array(1), signature: new Uint8Array(1) }
    const many = Array.from({ length: 257 }, () => rubbish)
    assert.equal((await tell(client, toAlice, many)).outcome.Failed.kind, 'bad_input')
  })
}

async function throughAKeeper () {
  let kept
  await check('a keeper takes a letter for whom is off, and signs that it holds it', async () => {
    await alice.stop()
    kept = await writeToAlice()
    const { receipt } = await hand(client, toKeeper, 'keep/1', kept)
    assert.equal(receipt.fate, 'held')
    assert.ok(same(receipt.by, bytesOf(keeper.id)))
    assert.equal((await hand(client, toKeeper, 'keep/1', kept)).receipt.fate, 'held')
  })

  await check('a keeper takes no receipts, nothing that does not fit its envelope or has expired', async () => {
    const envelope = decode(kept.envelope.body)
    const failure = async (more) => {
      const said = { ...envelope, ...more }
      said.id = envelopeId(said.from, said.to, said.number, said.written_at)
      const changed = await sign(keyPair, ENVELOPE_CONTEXT, said)
      return (await hand(client, toKeeper, 'keep/1', { envelope: changed, sealed: kept.sealed })).outcome.Failed.kind
    }
    const another = { number: envelope.number + 1000 }
    assert.equal(await failure({ ...another, hash: new Uint8Array(32) }), 'input_lost')
    assert.equal(await failure({ ...another, expires_at: Date.now() - 1000 }), 'bad_input')
    assert.equal(await failure({ ...another, size: 2 ** 39 }), 'too_large')
    // Another letter of the same name would be in the place of the first.
    assert.equal(await failure({ hash: new Uint8Array(32) }), 'bad_input')
    const { outcome } = await client.call(toKeeper, 'keep/1', { Receipts: [await signReceipt(keyPair, envelope, 'read')] })
    assert.equal(outcome.Failed.kind, 'bad_input')
  })

  await check('the recipient gets it when it is back, and the sender hears of it with its signature', async () => {
    await alice.start([keeper.address])
    await eventually('the letter in the inbox', async () => (await inAlicesBox(kept))?.text === TEXT)
    const receipt = await eventually('the receipt', () => toldOf(kept)[0])
    assert.equal(receipt.fate, 'delivered')
    assert.ok(same(receipt.by, bytesOf(alice.id)))
  })

  await check('a keeper answers with the recipient’s own receipt where it has one', async () => {
    const answered = await eventually('the receipt at the keeper', async () => {
      const answered = await hand(client, toKeeper, 'keep/1', kept)
      return answered.receipt?.fate === 'delivered' && answered
    })
    assert.ok(same((await readReceipt(answered.signed)).by, bytesOf(alice.id)))
  })
}

async function fromANode () {
  await check('a letter from a node opens with age-encryption, its seal fits, and the sender knows it delivered', async () => {
    await meetAlice()
    const { id } = await send('--text', TEXT, join(nodes.folder, 'saved', SMALL.path))
    const { message, files, envelope } = await came(id)
    assert.equal(message, TEXT)
    assert.deepEqual(files.map(({ path, bytes }) => [path, hex(bytes)]), [['五.txt', hex(SMALL.bytes)]])
    assert.ok(same(envelope.from, bytesOf(alice.id)))
    await hasState(id, 'delivered')
    assert.ok((await readdir(join(nodes.folder, 'js'))).includes(`${id}.age`))
    const { envelope: about } = box.letters.at(-1)
    assert.equal((await tell(client, toAlice, [await signReceipt(keyPair, about, 'read')])).body, 'Noted')
    await hasState(id, 'read')
  })

  await check('a letter of several groups from a node, with a folder', async () => {
    const { id } = await send(join(nodes.folder, 'saved large'))
    const { message, files } = await came(id)
    assert.equal(message, undefined)
    const large = files.find(({ path }) => path === `saved large/${LARGE.path}`)
    assert.equal(hex(blake3(large.bytes)), hex(blake3(LARGE.bytes)))
    assert.ok(files.some(({ path, folder }) => folder && path === 'saved large/empty/'))
  })

  await check('a node believes only the recipient: what others sign changes nothing', async () => {
    const asked = new Promise((resolve) => client.offer('mail/1', async ({ args }) => {
      resolve(await readEnvelope(args.Letter))
      throw new Error('not now')
    }, { listed: false }))
    const { id } = await send('--text', 'believe nobody')
    const envelope = await asked
    const stranger = await Client.start({ name: 'stranger' })
    const fromStranger = await stranger.connect(alice.address)
    const forged = decode((await signReceipt(keyPair, envelope, 'delivered')).body)
    assert.equal((await tell(stranger, fromStranger, [
      await signReceipt(stranger.privateKey, envelope, 'refused', { why: 'it is I' }),
      await signReceipt(stranger.privateKey, envelope, 'delivered'),
      await sign(stranger.privateKey, RECEIPT_CONTEXT, forged),
      await signReceipt(keyPair, { ...envelope, hash: new Uint8Array(32) }, 'delivered')
    ])).body, 'Noted')
    assert.ok(['queued', 'held'].includes((await stateOf(id)).state))
    // Whoever brings it: what the recipient signed counts.
    await tell(stranger, fromStranger, [await signReceipt(keyPair, envelope, 'delivered')])
    await hasState(id, 'delivered')
    await stranger.stop()
  })

  await check('a letter that was written while this client was off comes from the keeper', async () => {
    for (const connection of [toAlice, toKeeper]) await client.exchange(connection, { leaving: true })
    await client.stop()
    const { id } = await send('--text', 'while you were off')
    await eventually('held', async () => (await stateOf(id)).held_by.includes('keeper'))
    await alice.stop()
    await startClient()
    await meetKeeper()
    const { message, envelope } = await came(id)
    assert.equal(message, 'while you were off')
    assert.ok(same(envelope.from, bytesOf(alice.id)))
    await alice.start([keeper.address])
    await hasState(id, 'delivered')
  })

  await check('a node that dials this client is let in, and hands its letter over', async () => {
    const { id } = await send('--text', 'over a connection of mine')
    assert.equal((await came(id)).message, 'over a connection of mine')
    const connections = client.libp2p.getConnections(peerIdFromString(alice.id))
    assert.deepEqual(connections.map(({ direction }) => direction), ['inbound'])
  })

  await check('what this client refuses is refused for the sender, with the reason', async () => {
    await meetAlice()
    client.offer('mail/1', async ({ args }) => {
      const envelope = await readEnvelope(args.Letter)
      return { body: { Receipt: await signReceipt(keyPair, envelope, 'refused', { why: 'the box is full' }) } }
    }, { listed: false })
    const { id } = await send('--text', 'one too many')
    await hasState(id, 'refused')
    assert.match((await stateOf(id)).reason, /the box is full/)
  })
}

try {
  await alone()
  alice = await nodes.start('alice')
  keeper = await nodes.start('keeper', { offers: ['keep'], join: [alice.address] })
  await startClient()
  await toANode()
  await throughAKeeper()
  await fromANode()
  await client.stop()
} finally {
  await nodes.end()
}
