// The post of a client: it hands letters over, takes those that come, and hears what became of its own.
import { open as openFile, mkdir } from 'node:fs/promises'
import { join as joined } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { decode } from 'cborg'
import { isAbout, open, readEnvelope, readReceipt, same, signReceipt } from './letter.mjs'
import { INLINE_LIMIT } from './line.mjs'

const RECEIPTS_LIMIT = 256

/** What is needed to receive letters, and what came. It serves `mail/1` of its client. */
export class Mailbox {
  #client
  #folder
  #identity
  #answers = new Map() // envelope's id in hex → the signed receipt it was answered with
  letters = [] //  { envelope, message, files }, in the order in which they came
  receipts = [] // { receipt, signed, from }: what was told of letters, and by which peer

  /** `folder` has the letters that came, sealed as they are. */
  static async open (client, folder, identity) {
    const box = new Mailbox()
    box.#client = client
    box.#folder = folder
    box.#identity = identity ?? await generateX25519Identity()
    await mkdir(folder, { recursive: true })
    client.sealing = await identityToRecipient(box.#identity)
    client.offer('mail/1', (call) => box.#serve(call), { listed: false })
    return box
  }

  async #serve ({ args, input, from, fetch }) {
    if (args.Receipts) return { body: await this.#note(args.Receipts, from) }
    if (args.Letter) return { body: { Receipt: await this.#take(args.Letter, input, fetch) } }
    throw Object.assign(new Error('neither a letter nor receipts'), { kind: 'not_understood' })
  }

  async #note (receipts, from) {
    if (receipts.length > RECEIPTS_LIMIT) throw bad('too many receipts')
    for (const signed of receipts) {
      const receipt = await readReceipt(signed).catch(() => null)
      if (receipt) this.receipts.push({ receipt, signed, from })
    }
    return 'Noted'
  }

  // The same answer for an envelope that comes again: several peers may hand over one letter.
  async #take (signed, inline, fetch) {
    const envelope = await readEnvelope(signed).catch((error) => { throw bad(error.message) })
    if (!same(envelope.to, this.#client.id.toMultihash().bytes)) throw bad('the letter is for somebody else')
    const id = hex(envelope.id)
    if (!this.#answers.has(id)) {
      const sealed = inline ?? (envelope.size > INLINE_LIMIT ? await fetch(envelope) : null)
      if (!sealed) throw bad('the letter is missing')
      this.#answers.set(id, this.#receive(envelope, sealed))
    }
    const answer = await this.#answers.get(id)
    if (!isAbout(await readReceipt(answer), envelope)) throw bad('there is another letter of that name')
    return answer
  }

  async #receive (envelope, sealed) {
    try {
      const letter = await open(envelope, sealed, this.#identity)
      await kept(joined(this.#folder, `${hex(envelope.id)}.age`), sealed)
      this.letters.push({ envelope, ...letter })
      return await signReceipt(this.#client.privateKey, envelope, 'delivered')
    } catch (error) {
      return signReceipt(this.#client.privateKey, envelope, 'refused', { why: error.message.slice(0, 100) })
    }
  }
}

/**
 * Hands a letter over `connection` to its recipient (`mail/1`) or to a keeper (`keep/1`). Returns the receipt and
 * how it is signed, or what else became of the call: { receipt, signed, outcome }.
 */
export async function hand (client, connection, capability, { envelope, sealed }, options) {
  // A large one is fetched as a blob while the call lasts.
  const lent = sealed?.length > INLINE_LIMIT ? client.lendBlob(sealed, connection.remotePeer) : null
  const input = lent ? null : sealed
  const { outcome } = await client.call(connection, capability, { Letter: envelope }, { input, ...options })
    .finally(() => lent?.takeBack())
  if (!outcome.Done) return { outcome }
  const signed = decode(outcome.Done.body).Receipt
  const receipt = await readReceipt(signed)
  if (!isAbout(receipt, await readEnvelope(envelope))) throw new Error('a receipt for another letter')
  return { receipt, signed, outcome }
}

/** Tells a peer what became of letters. */
export async function tell (client, connection, receipts) {
  const { outcome } = await client.call(connection, 'mail/1', { Receipts: receipts })
  return { outcome, body: outcome.Done && decode(outcome.Done.body) }
}

/** What `id` is sealed to, as its advert says; undefined where it takes no letters or is unknown. */
export function sealingOf (client, id) {
  return client.adverts.find((advert) => same(advert.id, id))?.sealing
}

// A receipt promises that the letter is on the disk.
async function kept (path, bytes) {
  const file = await openFile(path, 'w', 0o600)
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}

const bad = (message) => Object.assign(new Error(message), { kind: 'bad_input' })
const hex = (bytes) => Buffer.from(bytes).toString('hex')
