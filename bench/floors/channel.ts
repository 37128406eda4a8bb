import { randomBytes } from "node:crypto"
import type { Socket } from "node:net"

/** One request to the floor's agent (bench/floors/agent.c). */
export interface Request {
  readonly operation: "e" | "r" | "m" | "x" | "t" | "b" | "c" | "d" | "o" | "p" | "s" | "u"
  readonly payload: Uint8Array
}

export interface Answer {
  /** errno, or the exit status of the program. */
  readonly status: number
  readonly payload: Buffer
}

/** Connection to the floor's agent. */
export interface FloorChannel {
  /** Sends all requests in one write and resolves with all answers. Rejects at the end of the connection. */
  readonly call: (...requests: ReadonlyArray<Request>) => Promise<ReadonlyArray<Answer>>
  /** Sends a request whose answer precedes `bytes` unframed bytes, and resolves after the last of them. */
  readonly pour: (request: Request, bytes: number) => Promise<void>
  /** Sends a request and so many unframed bytes, and resolves with the answer. */
  readonly fill: (request: Request, bytes: number) => Promise<void>
}

const words = (...parts: ReadonlyArray<string>) => Buffer.from(parts.map((part) => part + "\0").join(""))

export const echo: Request = { operation: "e", payload: new Uint8Array(0) }
/** Writes one byte to a terminal of the guest, and answers with its echo. */
export const terminalEcho: Request = { operation: "p", payload: new Uint8Array(0) }
export const sync: Request = { operation: "s", payload: new Uint8Array(0) }
export const mount = (source: string, target: string, type: string, data = ""): Request => ({
  operation: "m",
  payload: words(source, target, type, data)
})
export const unmount = (...targets: ReadonlyArray<string>): Request => ({ operation: "u", payload: words(...targets) })
export const exec = (root: string, ...argv: ReadonlyArray<string>): Request => ({
  operation: "x",
  payload: words(root, ...argv)
})
/** Answers with the nanoseconds of a vfork + exec + wait, measured in the guest. */
export const timedExec = (root: string, ...argv: ReadonlyArray<string>): Request => ({
  operation: "t",
  payload: words(root, ...argv)
})
/** Streams the command's stdout. */
export const relay = (root: string, ...argv: ReadonlyArray<string>): Request => ({
  operation: "o",
  payload: words(root, ...argv)
})
const sized = (operation: Request["operation"]) => (mib: number): Request => {
  const payload = Buffer.alloc(4)
  payload.writeUInt32LE(mib)
  return { operation, payload }
}
/** Streams so many MiB from the agent's own memory. */
export const bulk = sized("b")
/** Streams so many MiB that a process sends to the agent over a TCP connection of the guest. */
export const bulkOfConnection = sized("c")
/** So many MiB follow, which the agent sends to a process over a TCP connection of the guest. */
export const bulkToConnection = sized("d")
/** Fresh entropy and the host's time. */
export const reseed = (): Request => {
  const time = Buffer.alloc(8)
  time.writeBigUInt64LE(BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n)
  return { operation: "r", payload: Buffer.concat([time, randomBytes(64)]) }
}

const encode = ({ operation, payload }: Request) => {
  const head = Buffer.alloc(5)
  head.write(operation, 0, "latin1")
  head.writeUInt32LE(payload.length, 1)
  return Buffer.concat([head, payload])
}

export const channel = (socket: Socket): FloorChannel => {
  type Waiter = { readonly resolve: (answer: Answer) => void; readonly reject: (cause: Error) => void }
  const waiting: Array<Waiter> = []
  let rest: Buffer = Buffer.alloc(0)
  let pouring: { left: number; readonly resolve: () => void } | undefined
  const takeAnswer = () => {
    if (rest.length < 8) return false
    const end = 8 + rest.readUInt32LE(4)
    if (rest.length < end) return false
    waiting.shift()?.resolve({ status: rest.readUInt32LE(0), payload: rest.subarray(8, end) })
    rest = rest.subarray(end)
    return true
  }
  const takePoured = (bytes: Buffer) => {
    if (pouring === undefined) return
    pouring.left -= bytes.length
    if (pouring.left > 0) return
    pouring.resolve()
    pouring = undefined
  }
  socket.on("data", (bytes: Buffer) => {
    if (pouring !== undefined && waiting.length === 0) return takePoured(bytes)
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
    while (waiting.length > 0 && takeAnswer());
    if (waiting.length === 0 && rest.length > 0) {
      takePoured(rest)
      rest = Buffer.alloc(0)
    }
  })
  socket.on("close", () => {
    for (const waiter of waiting.splice(0)) waiter.reject(new Error("the floor's guest has gone"))
  })
  const call: FloorChannel["call"] = (...requests) => {
    const answers = requests.map(() => new Promise<Answer>((resolve, reject) => void waiting.push({ resolve, reject })))
    socket.write(Buffer.concat(requests.map(encode)))
    return Promise.all(answers)
  }
  return {
    call,
    pour: (request, bytes) => {
      const poured = new Promise<void>((resolve) => (pouring = { left: bytes, resolve }))
      return call(request).then(() => poured)
    },
    fill: async (request, bytes) => {
      const answered = call(request)
      const piece = Buffer.alloc(65_536)
      for (let left = bytes; left > 0; left -= piece.length) {
        if (!socket.write(piece)) await new Promise((resolve) => socket.once("drain", resolve))
      }
      await answered
    }
  }
}

/** Fails with the name of the first failed request. */
export const mustSucceed = (requests: ReadonlyArray<Request>, answers: ReadonlyArray<Answer>): void =>
  answers.forEach(({ payload, status }, index) => {
    if (status === 0) return
    const request = requests[index]
    const what = Buffer.from(request?.payload ?? []).toString("latin1").split("\0").slice(0, 4).join(" ")
    throw new Error(`the floor's guest: ${request?.operation} ${what}: status ${status} ${payload.toString("utf8")}`)
  })
