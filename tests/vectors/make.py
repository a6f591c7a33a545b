#!/usr/bin/env python3
"""Makes the test vectors beside it, with libraries that know nothing of Potluck.

    python3 -m venv venv && venv/bin/pip install blake3 cryptography cbor2 && venv/bin/python make.py

Chaining values are computed step by step as the BLAKE3 paper says, and their merged root is compared with the hash
that the library gives, so an outline depends on nobody's tree.
"""

import json
import struct
from pathlib import Path

import cbor2
from blake3 import blake3
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HERE = Path(__file__).parent
GROUP = 256 * 1024
CHUNK = 1024
SIZES = [0, 1, 1023, 1024, 1025, GROUP - 1, GROUP, GROUP + 1, 2 * GROUP, 3 * GROUP + 7]

# BLAKE3 paper, sections 2.1 to 2.4.
IV = [0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19]
PERMUTATION = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8]
CHUNK_START, CHUNK_END, PARENT, ROOT = 1, 2, 4, 8
MASK = 0xFFFFFFFF


def generated(size):
    """Byte number n is (n * 31 + n // 251) mod 256."""
    return bytes((n * 31 + n // 251) & 255 for n in range(size))


def compress(chaining, words, counter, length, flags):
    state = chaining + IV[:4] + [counter & MASK, counter >> 32, length, flags]
    words = list(words)

    def turn(value, by):
        return ((value >> by) | (value << (32 - by))) & MASK

    def mix(a, b, c, d, x, y):
        state[a] = (state[a] + state[b] + x) & MASK
        state[d] = turn(state[d] ^ state[a], 16)
        state[c] = (state[c] + state[d]) & MASK
        state[b] = turn(state[b] ^ state[c], 12)
        state[a] = (state[a] + state[b] + y) & MASK
        state[d] = turn(state[d] ^ state[a], 8)
        state[c] = (state[c] + state[d]) & MASK
        state[b] = turn(state[b] ^ state[c], 7)

    for step in range(7):
        for i in range(4):
            mix(i, 4 + i, 8 + i, 12 + i, words[2 * i], words[2 * i + 1])
        for i in range(4):
            mix(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, words[8 + 2 * i], words[9 + 2 * i])
        if step < 6:
            words = [words[n] for n in PERMUTATION]
    return [state[i] ^ state[i + 8] for i in range(8)]


def chunk_value(data, index, root):
    blocks = [data[at : at + 64] for at in range(0, len(data), 64)] or [b""]
    chaining = IV
    for number, block in enumerate(blocks):
        flags = (CHUNK_START if number == 0 else 0) | (CHUNK_END if number == len(blocks) - 1 else 0)
        if root and number == len(blocks) - 1:
            flags |= ROOT
        words = struct.unpack("<16I", block.ljust(64, b"\0"))
        chaining = compress(chaining, words, index, len(block), flags)
    return chaining


def parent_value(left, right, root):
    return compress(IV, left + right, 0, 64, PARENT | (ROOT if root else 0))


def left_part(count):
    """The largest power of two below count."""
    return 1 << ((count - 1).bit_length() - 1)


def subtree(data, first_chunk, root):
    count = max(1, -(-len(data) // CHUNK))
    if count == 1:
        return chunk_value(data, first_chunk, root)
    left = left_part(count)
    return parent_value(
        subtree(data[: left * CHUNK], first_chunk, False),
        subtree(data[left * CHUNK :], first_chunk + left, False),
        root,
    )


def merged(values, root):
    if len(values) == 1:
        return values[0]
    left = left_part(len(values))
    return parent_value(merged(values[:left], False), merged(values[left:], False), root)


def packed(words):
    return struct.pack("<8I", *words)


def outline(data):
    groups = [data[at : at + GROUP] for at in range(0, len(data), GROUP)] or [b""]
    only = len(groups) == 1
    values = [subtree(group, n * GROUP // CHUNK, only) for n, group in enumerate(groups)]
    expected = blake3(data).digest()
    assert packed(merged(values, True)) == expected, len(data)
    return [packed(value).hex() for value in values], expected.hex()


def outlines():
    blobs = []
    for size in SIZES:
        groups, root = outline(generated(size))
        blobs.append({"size": size, "groups": groups, "hash": root})
    return {
        "what": "Outlines of blobs (docs/protocol.md, Blobs). `groups` are what travels as the outline.",
        "bytes": "byte number n is (n * 31 + n // 251) mod 256",
        "blobs": blobs,
    }


def keys():
    """Three keys out of fixed seeds: private, as libp2p's protobuf, and the peer id."""
    for n in (1, 2, 3):
        seed = bytes([n]) * 32
        private = Ed25519PrivateKey.from_private_bytes(seed)
        raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        public = b"\x08\x01\x12\x20" + raw
        yield seed, private, public, b"\x00" + bytes([len(public)]) + public


def base58(data):
    letters = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        text = letters[rest] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def digest():
    entries = sorted((id, 1_700_000_000_000 + n) for n, (_, _, _, id) in enumerate(keys()))
    hashed = b"".join(bytes([len(id)]) + id + struct.pack(">Q", seq) for id, seq in entries)
    return {
        "what": "The root of a digest (docs/protocol.md, How adverts travel).",
        "entries": [{"id": id.hex(), "seq": seq} for id, seq in entries],
        "root": blake3(hashed).hexdigest(),
        "empty_root": blake3(b"").hexdigest(),
    }


def single_precision(body):
    """Numbers with a point as an f32, as nodes write them: the value has to fit into one."""
    number = next(value for value in OFFER.values() if isinstance(value, float))
    double, single = b"\xfb" + struct.pack(">d", number), b"\xfa" + struct.pack(">f", number)
    assert body.count(double) == 1
    return body.replace(double, single)


def advert():
    seed, private, public, id = next(iter(keys()))
    address = bytes([4, 192, 0, 2, 7, 6]) + struct.pack(">H", 4001)  # /ip4/192.0.2.7/tcp/4001
    told = {
        "version": VERSION,
        "id": id,
        "seq": 1_700_000_000_000,
        "incarnation": 0xFEDC_BA98_7654_3210,
        "name": "厨房",
        "mesh": "potluck",
        "addresses": [address],
        "offers": [OFFER],
        "leaving": False,
    }
    body = single_precision(cbor2.dumps(told))
    assert cbor2.loads(body) == told
    signature = private.sign(DOMAIN + body)
    return {
        "what": "A signed advert (docs/protocol.md, Adverts). All bytes are hexadecimal.",
        "seed": seed.hex(),
        "peer_id": base58(id),
        "domain": DOMAIN.decode(),
        "advert": {**told, "id": id.hex(), "addresses": ["/ip4/192.0.2.7/tcp/4001"]},
        "body": body.hex(),
        "key": public.hex(),
        "signature": signature.hex(),
        "signed": cbor2.dumps({"body": body, "key": public, "signature": signature}).hex(),
    }


def loss():
    _, (seed, private, public, witness), (_, _, _, lost) = keys()
    told = {"version": 1, "id": lost, "seq": 1_700_000_000_002, "by": witness}
    body = cbor2.dumps(told)
    domain = b"potluck-loss-1:"
    signature = private.sign(domain + body)
    return {
        "what": "Signed word of a loss (docs/protocol.md, Gossip). All bytes are hexadecimal.",
        "seed": seed.hex(),
        "domain": domain.decode(),
        "loss": {**told, "id": lost.hex(), "by": witness.hex()},
        "body": body.hex(),
        "key": public.hex(),
        "signature": signature.hex(),
        "signed": cbor2.dumps({"body": body, "key": public, "signature": signature}).hex(),
    }


VERSION = 2
DOMAIN = b"potluck-advert-1:"
OFFER = {
    "capability": "recognize/1",
    "device": "cpu",
    "engine": "onnxruntime 1.30.0",
    "call_ms": 62.5,
    "slots": 4,
    "queue": 1,
    "variants": ["squeezenet", "googlenet"],
    "repeat": "safe",
}

for name, made in [("outline", outlines()), ("digest", digest()), ("advert", advert()), ("loss", loss())]:
    text = json.dumps(made, indent=1, ensure_ascii=False)
    (HERE / f"{name}.json").write_text(text + "\n", encoding="utf-8")
