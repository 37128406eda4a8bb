import * as dgram from "node:dgram"
import * as net from "node:net"
import { RESOLVER } from "./addresses.ts"
import { watchDenied } from "./denied.ts"
import { type Question, RCODE, readQuestion, type Reply, writeReply } from "./dns-message.ts"
import { Firewall } from "./firewall.ts"
import type { ReplyMessage, Request, Response } from "./protocol.ts"

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
// An answer to a guest that is gone.
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
