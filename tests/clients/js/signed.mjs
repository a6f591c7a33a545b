// What nodes sign: a CBOR body, the public key, and the signature over a context and the body.
import { publicKeyFromProtobuf, publicKeyToProtobuf } from '@libp2p/crypto/keys'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { decode, encode } from 'cborg'
import { join } from './blake3.mjs'

/** `value` as a signed body. `context` is the text that is signed before it: it says what the body is. */
export async function sign (privateKey, context, value) {
  // In the order of the page, as nodes write them; any other would do.
  const body = encode(value, { mapSorter: false })
  const signature = await privateKey.sign(signedBytes(context, body))
  return { body, key: publicKeyToProtobuf(privateKey.publicKey), signature }
}

/** The value of a signed body, whose field `signer` has to name the peer that signed it. */
export async function verify ({ body, key: encodedKey, signature }, context, signer) {
  const key = publicKeyFromProtobuf(encodedKey)
  const value = decode(body)
  if (Buffer.compare(idOf(key), value[signer]) !== 0) throw new Error('another id')
  if (!await key.verify(signedBytes(context, body), signature)) throw new Error('wrong signature')
  return value
}

/** The peer id of a public key, as bytes. */
export function idOf (publicKey) {
  return peerIdFromPublicKey(publicKey).toMultihash().bytes
}

function signedBytes (context, body) {
  return join([new TextEncoder().encode(context), body])
}
