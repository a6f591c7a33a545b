// Letters: written and sealed, opened and checked, and the receipts for them. No network here.
import { Decrypter, Encrypter } from 'age-encryption'
import { decode, encode } from 'cborg'
import { blake3, join } from './blake3.mjs'
import { idOf, sign, verify } from './signed.mjs'
import { pack, unpack } from './tar.mjs'

export const ENVELOPE_CONTEXT = 'potluck-envelope-1:'
export const RECEIPT_CONTEXT = 'potluck-receipt-1:'
export const LETTER_CONTEXT = 'potluck-letter-1:'
const ID_CONTEXT = 'potluck-envelope-id-1:'
export const LONGEST_MS = 21 * 24 * 3600 * 1000
const FATES = ['held', 'delivered', 'refused', 'read']
const BODY_LIMIT = 1024
const MESSAGE_LIMIT = 256 * 1024
// What the seal and the envelope both say.
const SAID_TWICE = ['from', 'to', 'sealing', 'number', 'written_at']

/**
 * A letter of `privateKey`'s owner to the peer `to` (bytes), sealed to the age recipient `sealing`. `files`:
 * [{ path, bytes }], where a path that ends with a slash is a folder. Returns { envelope, sealed }: the signed envelope
 * and the bytes that go with it.
 */
export async function write ({
  privateKey, to, sealing, number = 1, message, files = [], writtenAt = Date.now(), livesMs = LONGEST_MS
}) {
  const from = idOf(privateKey.publicKey)
  const archive = pack([
    ...(message === undefined ? [] : [{ path: 'message.txt', bytes: new TextEncoder().encode(message) }]),
    ...files.map(({ path, bytes }) => ({ path: `files/${path}`, bytes }))
  ])
  const seal = {
    version: 1,
    envelope: envelopeId(from, to, number, writtenAt),
    from,
    to,
    sealing,
    payload: blake3(archive),
    number,
    written_at: writtenAt
  }
  const plain = join([archive, encode(await sign(privateKey, LETTER_CONTEXT, seal), { mapSorter: false })])
  const sealed = await encrypted(plain, sealing)
  return { envelope: await signEnvelope(privateKey, seal, sealed, writtenAt + livesMs), sealed }
}

/** The id of the envelope of a letter: it follows from these. */
export function envelopeId (from, to, number, writtenAt) {
  const last = new DataView(new ArrayBuffer(16))
  last.setBigUint64(0, BigInt(number))
  last.setBigUint64(8, BigInt(writtenAt))
  const parts = [
    new TextEncoder().encode(ID_CONTEXT), Uint8Array.of(from.length), from, Uint8Array.of(to.length), to,
    new Uint8Array(last.buffer)
  ]
  return blake3(join(parts)).subarray(0, 16)
}

/** The envelope of the letter that `seal` is about. */
export function signEnvelope (privateKey, seal, sealed, expiresAt) {
  return sign(privateKey, ENVELOPE_CONTEXT, {
    version: 1,
    id: seal.envelope,
    from: seal.from,
    to: seal.to,
    sealing: seal.sealing,
    hash: blake3(sealed),
    size: sealed.length,
    number: seal.number,
    written_at: seal.written_at,
    expires_at: expiresAt
  })
}

/** What an envelope says, signed by who it says sent it. */
export async function readEnvelope (signed) {
  if (signed.body.length > BODY_LIMIT) throw new Error('an envelope that is too long')
  const envelope = await verify(signed, ENVELOPE_CONTEXT, 'from')
  if (envelope.version !== 1) throw new Error('an envelope of another version')
  if (envelope.id.length !== 16 || envelope.hash.length !== 32) throw new Error('an envelope that is malformed')
  if (!same(envelope.id, envelopeId(envelope.from, envelope.to, envelope.number, envelope.written_at))) {
    throw new Error('an envelope with the id of another one')
  }
  if (envelope.expires_at - envelope.written_at > LONGEST_MS) throw new Error('an envelope that is valid for too long')
  return envelope
}

/** { message, files } of a sealed letter to `identity`, once all of it fits what the envelope says. */
export async function open (envelope, sealed, identity) {
  if (sealed.length !== Number(envelope.size) || !same(blake3(sealed), envelope.hash)) throw new Error('another letter')
  const plain = await decrypted(sealed, identity)
  const { entries, end } = unpack(plain)
  const seal = await verify(decode(plain.subarray(end)), LETTER_CONTEXT, 'from')
  if (seal.version !== 1 || !same(seal.envelope, envelope.id) || !same(seal.payload, blake3(plain.subarray(0, end)))) {
    throw new Error('a seal that does not fit')
  }
  for (const field of SAID_TWICE) if (!same(seal[field], envelope[field])) throw new Error(`another ${field} in the letter`)
  const message = entries.find(({ path }) => path === 'message.txt')?.bytes
  if (message?.length > MESSAGE_LIMIT) throw new Error('the text is too long')
  return {
    message: message && new TextDecoder('utf-8', { fatal: true }).decode(message),
    files: entries
      .filter(({ path }) => path.startsWith('files/'))
      .map(({ path, bytes, folder }) => ({ path: path.slice('files/'.length), bytes, folder }))
  }
}

/** `privateKey`'s owner says what became of a letter. */
export function signReceipt (privateKey, envelope, fate, { why = null, at = Date.now() } = {}) {
  const by = idOf(privateKey.publicKey)
  return sign(privateKey, RECEIPT_CONTEXT, { version: 1, envelope: envelope.id, hash: envelope.hash, fate, by, at, why })
}

/** What a receipt says, signed by who it says gave it. */
export async function readReceipt (signed) {
  if (signed.body.length > BODY_LIMIT) throw new Error('a receipt that is too long')
  const receipt = await verify(signed, RECEIPT_CONTEXT, 'by')
  if (receipt.version !== 1 || !FATES.includes(receipt.fate)) throw new Error('a receipt that is malformed')
  return receipt
}

/** Whether a receipt is about that envelope: the same letter, not only the same number. */
export function isAbout (receipt, envelope) {
  return same(receipt.envelope, envelope.id) && same(receipt.hash, envelope.hash)
}

/** Whether two fields, bytes or others, are equal. */
export function same (a, b) {
  return a instanceof Uint8Array && b instanceof Uint8Array ? Buffer.compare(a, b) === 0 : a === b
}

export async function encrypted (plain, sealing) {
  const age = new Encrypter()
  age.addRecipient(sealing)
  return age.encrypt(plain)
}

export async function decrypted (sealed, identity) {
  const age = new Decrypter()
  age.addIdentity(identity)
  return age.decrypt(sealed)
}
