import { spawn } from "node:child_process"
import * as dgram from "node:dgram"
import * as net from "node:net"
import { createInterface } from "node:readline"
import { startTimer } from "../../../../system/waits/signal.ts"
import { type Question, RCODE, readQuestion, type Reply, writeReply } from "../../both/tap/dns-message.ts"
import type { DeniedMessage, ReplyMessage, Request, Response } from "../../both/tap/protocol.ts"
import { LOG_GROUP, RESOLVER } from "../../both/tap/ruleset.ts"

/** A waiting script, and the callback for its end. */
interface Waiting {
  readonly script: string
  readonly settle: (failure: string | undefined) => void
}

/** Longest text of a failure. */
const FAILURE_CHARACTERS = 500

const run = (script: string) =>
  new Promise<string | undefined>((resolve) => {
    const child = spawn("nft", ["-f", "-"], { stdio: ["pipe", "ignore", "pipe"] })
    let said = ""
    child.stderr.setEncoding("utf8").on("data", (text: string) => said = (said + text).slice(0, FAILURE_CHARACTERS))
    child.on("error", ({ message }) => resolve(message))
    child.on("close", (code) => resolve(code === 0 ? undefined : said.trim() || `exit status ${code}`))
    child.stdin.on("error", () => {}) // its exit tells
    child.stdin.end(script)
  })

/**
 * The firewall of this process's network namespace. One nft runs at a time; scripts that come meanwhile are one transaction, or one after the
 * other if the transaction fails.
 */
export class Firewall {
  #waiting: Array<Waiting> = []
  #isRunning = false

  /** Returns nft's last output, or nothing for success. */
  apply(script: string): Promise<string | undefined> {
    return new Promise((settle) => {
      this.#waiting.push({ script, settle })
      if (!this.#isRunning) void this.#runAll()
    })
  }

  async #runAll() {
    this.#isRunning = true
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      const failure = await run(batch.map(({ script }) => script).join("\n"))
      for (const { script, settle } of batch) {
        settle(failure === undefined || batch.length === 1 ? failure : await run(script))
      }
    }
    this.#isRunning = false
  }
}

/** Time in which the same destination is reported once, in ms: a refused program tries again. */
const SAME_MS = 5_000
/** Destinations that are remembered; a guest chooses them. */
const MAX_RECENT = 1_024

/** Pause before the program is started again, in ms. It doubles while the program ends without a line. */
const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 30_000

/** Reports the first packet of each flow that the firewall of this network namespace denies. Without the program, it reports none. */
export const watchDenied = (tell: (flow: Omit<DeniedMessage, "_tag">) => void): void => {
  const [program = "", name = ""] = process.argv.slice(-2)
  const recent = new Set<string>()
  const isRecent = (line: string) => {
    if (recent.has(line)) return true
    if (recent.size >= MAX_RECENT) recent.clear()
    recent.add(line)
    startTimer(SAME_MS, () => recent.delete(line))
    return false
  }
  const start = (pauseMs: number) => {
    let nextPauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)
    const child = spawn(program, [String(LOG_GROUP), name], { stdio: ["ignore", "pipe", "inherit"] })
    child.on("error", ({ message }) => process.stderr.write(`denials are not logged: ${message}\n`))
    child.on("exit", (code, signal) => {
      process.stderr.write(`denials are not logged for a moment: ${program} ended with ${signal ?? `status ${code}`}\n`)
      startTimer(pauseMs, () => start(nextPauseMs))
    })
    createInterface(child.stdout).on("line", (line) => {
      nextPauseMs = FIRST_PAUSE_MS
      const [protocol, address = "", port] = line.split(" ")
      if (!isRecent(line)) tell({ protocol: Number(protocol), address, port: port === "0" ? undefined : Number(port) })
    })
  }
  start(FIRST_PAUSE_MS)
}

// The process in a network's namespace: its firewall and its resolver. Reads the guest's DNS messages, and asks the daemon for every answer.
// It ends with the daemon's end of the IPC channel; the firewall stays as long as the namespace.

const DNS_PORT = 53
/** Questions that wait for the daemon; more are dropped, as by a resolver without room. */
const MAX_PENDING = 512
/** Longest answer over UDP without EDNS (RFC 1035, 2.3.4). */
const UDP_BYTES = 512
const TCP_BYTES = 65_535
/** TCP connections at a time, and how long one may be silent, in ms. */
const MAX_CONNECTIONS = 64
const IDLE_MS = 10_000

const send = (message: Response) => void process.send!(message, undefined, {}, () => {})

const firewall = new Firewall()
const pending = new Map<number, { readonly question: Question; readonly answer: (reply: Reply) => void }>()
let lastId = 0

const ask = (message: Buffer, limit: number, reply: (bytes: Buffer) => void) => {
  const question = readQuestion(message)
  if (question === undefined || pending.size >= MAX_PENDING) return
  const id = (lastId += 1)
  pending.set(id, { question, answer: (found) => reply(writeReply(question, found, limit)) })
  send({ _tag: "Question", id, name: question.name, type: question.type })
}

/** The firewall knows the addresses before the guest does. */
const answer = async ({ code, count, id, records, script }: ReplyMessage) => {
  const asked = pending.get(id)
  pending.delete(id)
  const failure = script === "" ? undefined : await firewall.apply(script)
  asked?.answer(
    failure === undefined
      ? { code, count, records: Buffer.from(records, "base64") }
      : { code: RCODE.serverFailure, count: 0, records: Buffer.alloc(0) }
  )
}

process.on("message", async (request: Request) => {
  if (request._tag === "Reply") return answer(request)
  send({ _tag: "Applied", id: request.id, failure: await firewall.apply(request.script) })
})
process.on("disconnect", () => process.exit(0))

watchDenied((flow) => send({ _tag: "Denied", ...flow }))

const udp = dgram.createSocket("udp4")
udp.on("message", (message, from) => ask(message, UDP_BYTES, (bytes) => udp.send(bytes, from.port, from.address)))
// An answer to a guest that has ended.
udp.on("error", () => {})

const tcp = net.createServer((socket) => {
  let held = Buffer.alloc(0)
  socket.setTimeout(IDLE_MS, () => socket.destroy())
  socket.on("error", () => {}).on("data", (bytes: Buffer) => {
    held = Buffer.concat([held, bytes])
    while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
      const end = 2 + held.readUInt16BE(0)
      ask(held.subarray(2, end), TCP_BYTES, (reply) => {
        const size = Buffer.alloc(2)
        size.writeUInt16BE(reply.length)
        socket.write(Buffer.concat([size, reply]))
      })
      held = held.subarray(end)
    }
  })
})
tcp.maxConnections = MAX_CONNECTIONS

udp.bind(DNS_PORT, RESOLVER, () => tcp.listen(DNS_PORT, RESOLVER, () => send({ _tag: "Ready" })))
