// Makes tests/vectors/mail.json, or compares it with what is made now.
//
//   node vectors.mjs [--check]
//
// From fixed keys, and with sealing's randomness fixed as well, so that the file is the same each time.
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { generateKeyPairFromSeed, publicKeyToProtobuf } from '@libp2p/crypto/keys'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { decode, encode } from 'cborg'
import {
  ENVELOPE_CONTEXT, LETTER_CONTEXT, RECEIPT_CONTEXT, decrypted, envelopeId, open, readEnvelope, signReceipt, write
} from './letter.mjs'
import { idOf, sign } from './signed.mjs'
import { unpack } from './tar.mjs'

const FILE = new URL('../../vectors/mail.json', import.meta.url)
const WRITTEN_AT = 1_700_000_000_000
const DAY_MS = 24 * 3600 * 1000
const LONG_PATH = `${'folder/'.repeat(15)}名字.txt`

const text = (string) => new TextEncoder().encode(string)
const hex = (bytes) => Buffer.from(bytes).toString('hex')
// The bytes of an object's fields as hexadecimal, one level deep, for people and other languages.
const shown = (value) => Object.fromEntries(
  Object.entries(value).map(([key, field]) => [key, field instanceof Uint8Array ? hex(field) : field]))

/** A peer whose Ed25519 seed is 32 times the byte `n`. */
async function peer (n) {
  const seed = new Uint8Array(32).fill(n)
  const privateKey = await generateKeyPairFromSeed('Ed25519', seed)
  return {
    privateKey,
    id: idOf(privateKey.publicKey),
    told: {
      seed: hex(seed),
      key: hex(publicKeyToProtobuf(privateKey.publicKey)),
      id: hex(idOf(privateKey.publicKey)),
      peer_id: peerIdFromPublicKey(privateKey.publicKey).toString()
    }
  }
}

// The recipient's sealing key, and what sealing draws (a file key, an ephemeral key, a nonce): from a counter here.
function fixChance () {
  let next = 0
  crypto.getRandomValues = (bytes) => bytes.map(() => next++ & 255)
}

/** The signed record as it travels, its parts, and what its body says. */
const record = (context, signed) => ({
  context,
  fields: shown(decode(signed.body)),
  body: hex(signed.body),
  key: hex(signed.key),
  signature: hex(signed.signature),
  signed: hex(encode(signed, { mapSorter: false }))
})

async function made () {
  fixChance()
  const [sender, recipient, keeper] = [await peer(1), await peer(2), await peer(3)]
  const identity = await generateX25519Identity()
  const sealing = await identityToRecipient(identity)
  const letter = await write({
    privateKey: sender.privateKey,
    to: recipient.id,
    sealing,
    number: 7,
    message: 'See you at five. 五点见。\n',
    files: [
      { path: 'empty/' }, { path: 'notes.txt', bytes: text('a small file\n') }, { path: LONG_PATH, bytes: text('far down') }
    ],
    writtenAt: WRITTEN_AT,
    livesMs: 21 * DAY_MS
  })
  const envelope = await readEnvelope(letter.envelope)
  const receipt = (by, fate, why = null) => signReceipt(by.privateKey, envelope, fate, { at: WRITTEN_AT + 1000, why })
  const [held, delivered, read, refused] = await Promise.all([
    receipt(keeper, 'held'),
    receipt(recipient, 'delivered'),
    receipt(recipient, 'read'),
    receipt(recipient, 'refused', '它是封给别的密钥的')
  ])
  return {
    what: 'A letter, its envelope and its receipts (docs/protocol.md, Mail). All bytes are hexadecimal.',
    made_by: 'tests/clients/js/vectors.mjs: js-libp2p (Ed25519), cborg (CBOR), age-encryption (age). The fields of ' +
      'bodies stand in the order of the page, and null is written.',
    parts: 'sealed is the age file that goes with envelope; its plaintext is archive and then seal.signed. forged is a ' +
      'letter whose envelope fits and whose seal another key signed: it is taken, and not believed',
    calls_are: 'the args of calls (letter, receipts) and the bodies of their answers (answer, noted)',
    records: 'context: what is signed before the body; fields: what the body says; body, key, signature: the three ' +
      'parts of Signed; signed: all of it, as it travels',
    sender: sender.told,
    recipient: { ...recipient.told, age_identity: identity, sealing },
    keeper: keeper.told,
    envelope: record(ENVELOPE_CONTEXT, letter.envelope),
    sealed: hex(letter.sealed),
    ...await opened(letter.sealed, envelope, identity),
    forged: await forged(keeper, { sender, recipient, sealing }),
    receipts: Object.fromEntries(
      Object.entries({ held, delivered, read, refused }).map(([fate, signed]) => [fate, record(RECEIPT_CONTEXT, signed)])),
    calls: {
      letter: hex(encode({ Letter: letter.envelope }, { mapSorter: false })),
      receipts: hex(encode({ Receipts: [read] }, { mapSorter: false })),
      answer: hex(encode({ Receipt: delivered }, { mapSorter: false })),
      noted: hex(encode('Noted'))
    }
  }
}

/** What is inside of a sealed letter: the two parts of its plaintext, and what they say. */
async function opened (sealed, envelope, identity) {
  const plain = await decrypted(sealed, identity)
  const { entries, end } = unpack(plain)
  const { message } = await open(envelope, sealed, identity)
  return {
    archive: hex(plain.subarray(0, end)),
    seal: record(LETTER_CONTEXT, decode(plain.subarray(end))),
    message,
    entries: entries.map(({ path, folder, bytes }) => ({ path, folder, bytes: hex(bytes) }))
  }
}

/** A letter that `forger` sealed anew as if `sender` had written it; the envelope is the sender's. */
async function forged (forger, { sender, recipient, sealing }) {
  const parts = { to: recipient.id, sealing, number: 8, message: 'not written by the sender', writtenAt: WRITTEN_AT }
  const theirs = await write({ ...parts, privateKey: forger.privateKey })
  const { id: _, from, ...rest } = await readEnvelope(theirs.envelope)
  const id = envelopeId(sender.id, recipient.id, parts.number, WRITTEN_AT)
  const envelope = await sign(sender.privateKey, ENVELOPE_CONTEXT, { version: 1, id, from: sender.id, ...rest })
  return { envelope: record(ENVELOPE_CONTEXT, envelope), sealed: hex(theirs.sealed) }
}

const json = JSON.stringify(await made(), null, 1) + '\n'
if (process.argv[2] === '--check') {
  assert.equal(await readFile(FILE, 'utf8'), json)
  console.log('ok  tests/vectors/mail.json')
} else {
  await writeFile(FILE, json)
}
