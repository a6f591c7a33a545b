// Nodes that a check starts by itself: on loopback, without mDNS, with data folders that end with the check.
import { execFile, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const QUIET = ['--no-mdns', '--listen', '/ip4/127.0.0.1/tcp/0', '--json']

/** Nodes of one program, and the folder for all that they and the check write. */
export class Nodes {
  #potluck
  #nodes = []

  static async of (potluck) {
    const nodes = new Nodes()
    nodes.#potluck = potluck
    nodes.folder = await mkdtemp(join(tmpdir(), 'potluck-check-'))
    return nodes
  }

  /** A node called `name` that offers only `offers`; it is started. */
  async start (name, { offers = ['chat'], join: others = [] } = {}) {
    const node = new Node(this.#potluck, name, join(this.folder, name), offers)
    this.#nodes.push(node)
    await node.start(others)
    return node
  }

  /** Ends all of them and erases the folder. */
  async end () {
    await Promise.all(this.#nodes.map((node) => node.stop()))
    await rm(this.folder, { recursive: true, force: true })
  }
}

class Node {
  #potluck
  #offers
  #child = null

  constructor (potluck, name, dataDir, offers) {
    this.#potluck = potluck
    this.name = name
    this.dataDir = dataDir
    this.#offers = offers
  }

  /** Runs until `stop`; may be started again. `others`: addresses to join. */
  async start (others = []) {
    const args = [
      'up', ...QUIET, '--name', this.name, '--data-dir', this.dataDir,
      ...this.#offers.flatMap((offer) => ['--offer', offer]), ...others.flatMap((address) => ['--join', address])
    ]
    this.#child = spawn(this.#potluck, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    for await (const line of createInterface({ input: this.#child.stdout })) {
      const event = JSON.parse(line)
      if (event.event !== 'ready') continue
      this.id = event.id
      this.address = `${event.listen[0]}/p2p/${event.id}`
      this.#child.stdout.resume()
      return
    }
    throw new Error(`${this.name} did not start`)
  }

  /** As a person ends it: it says goodbye. */
  async stop () {
    const child = this.#child
    this.#child = null
    if (child === null || child.exitCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGINT')
    await ended
  }

  /** What a command prints. */
  async command (...args) {
    const { stdout } = await promisify(execFile)(this.#potluck, [...args, '--json', '--data-dir', this.dataDir])
    return JSON.parse(stdout)
  }
}

/** Waits until `asked()` gives something that is not null, undefined or false. */
export async function eventually (what, asked, seconds = 60) {
  for (let tries = 0; tries < seconds * 5; tries++) {
    const found = await asked()
    if (found) return found
    await sleep(200)
  }
  throw new Error(`${what}: not within ${seconds} s`)
}
