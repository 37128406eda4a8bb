import * as dgram from "node:dgram"
import * as net from "node:net"

/** What the resolver of the world answers to one question. */
export type Answer =
  | { readonly addresses: ReadonlyArray<string>; readonly onlyOverTcp?: boolean }
  /** Data of one record, complete, per record. */
  | { readonly records: ReadonlyArray<Buffer> }
  | "no such name"
  | "silence"

const wireName = (name: string) =>
  Buffer.concat([
    ...name.split(".").filter((label) => label !== "").map((label) =>
      Buffer.from([label.length, ...Buffer.from(label)])
    ),
    Buffer.from([0])
  ])

export const number = (value: number, bytes: 1 | 2 | 4) => {
  const buffer = Buffer.alloc(bytes)
  buffer.writeUIntBE(value, 0, bytes)
  return buffer
}

const TYPES = { A: 1, AAAA: 28 } as const

/** `A`, `MX`, `SRV` and `TXT` data for `records`. */
export const data = {
  mx: (priority: number, host: string) => Buffer.concat([number(priority, 2), wireName(host)]),
  srv: (priority: number, weight: number, port: number, host: string) =>
    Buffer.concat([number(priority, 2), number(weight, 2), number(port, 2), wireName(host)]),
  txt: (...strings: ReadonlyArray<string>) =>
    Buffer.concat(strings.flatMap((text) => [number(text.length, 1), Buffer.from(text)]))
}

const ipv6Bytes = (text: string) => {
  const [head = "", tail = ""] = text.split("::")
  const groups = (part: string) => part === "" ? [] : part.split(":").map((group) => parseInt(group, 16))
  const front = groups(head)
  const back = groups(tail)
  const all = [...front, ...Array.from({ length: 8 - front.length - back.length }, () => 0), ...back]
  return Buffer.concat(all.map((group) => number(group, 2)))
}

const addressData = (address: string) =>
  net.isIPv4(address) ? Buffer.from(address.split(".").map(Number)) : ipv6Bytes(address)

/** Reads the one question of a query. */
const questionOf = (query: Buffer) => {
  const labels: Array<string> = []
  let at = 12
  for (let size = query[at]!; size > 0; size = query[at]!) {
    labels.push(query.toString("latin1", at + 1, at + 1 + size))
    at += 1 + size
  }
  return {
    name: labels.join(".").toLowerCase(),
    type: query.readUInt16BE(at + 1),
    question: query.subarray(12, at + 5)
  }
}

const response = (query: Buffer, answer: Exclude<Answer, "silence">, isTcp: boolean) => {
  const { question, type } = questionOf(query)
  const isTruncated = typeof answer === "object" && "addresses" in answer && answer.onlyOverTcp === true && !isTcp
  const found = typeof answer === "string" || isTruncated
    ? []
    : "records" in answer
    ? answer.records
    : answer.addresses.filter((one) => type === (net.isIPv4(one) ? TYPES.A : TYPES.AAAA)).map(addressData)
  const flags = 0x8180 | (isTruncated ? 0x0200 : 0) | (answer === "no such name" ? 3 : 0)
  return Buffer.concat([
    query.subarray(0, 2),
    number(flags, 2),
    number(1, 2),
    number(found.length, 2),
    number(0, 4),
    question,
    ...found.map((one) =>
      Buffer.concat([Buffer.from([0xc0, 12]), number(type, 2), number(1, 2), number(5, 4), number(one.length, 2), one])
    )
  ])
}

/** Answers DNS questions over UDP and TCP, and tells each. */
export const serveDns = (
  host: string,
  answerTo: (name: string, type: number) => Answer,
  onQuestion: (question: { readonly name: string; readonly type: number; readonly over: "udp" | "tcp" }) => void
) => {
  const answer = (query: Buffer, over: "udp" | "tcp") => {
    const { name, type } = questionOf(query)
    onQuestion({ name, type, over })
    const found = answerTo(name, type)
    return found === "silence" ? undefined : response(query, found, over === "tcp")
  }
  const udp = dgram.createSocket("udp4")
  udp.on("message", (query, from) => {
    const reply = answer(query, "udp")
    if (reply !== undefined) udp.send(reply, from.port, from.address)
  })
  udp.bind(53, host)
  net.createServer((socket) => {
    let held = Buffer.alloc(0)
    socket.on("error", () => {}).on("data", (bytes: Buffer) => {
      held = Buffer.concat([held, bytes])
      while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
        const reply = answer(held.subarray(2, 2 + held.readUInt16BE(0)), "tcp")
        held = held.subarray(2 + held.readUInt16BE(0))
        if (reply !== undefined) socket.write(Buffer.concat([number(reply.length, 2), reply]))
      }
    })
  }).listen(53, host)
}
