import { Effect, ManagedRuntime, Result } from "effect"
import { createServer, type Socket } from "node:net"
import { createInterface } from "node:readline"
import { Dialler } from "../../../src/lib/network/Dialler.ts"
import { type Policy, readPolicy } from "../../../src/lib/network/model/policy.ts"
import { serveDns } from "./dns-server.ts"

// A daemon's part, in the host's namespace: reads one JSON request per line, prints one JSON answer per line.

const runtime = ManagedRuntime.make(Dialler.layer)

const rulesOf = (policy: Partial<Policy>) =>
  Result.getOrThrow(readPolicy({ networkPolicy: "egress", allowHosts: [], denyHosts: [], allowIps: [], ...policy }))

interface Request {
  readonly id: number
  readonly op: "dial" | "interrupt" | "resolve" | "env" | "stop"
  readonly name?: string
  readonly address?: string
  readonly port?: number
  readonly type?: number
  readonly group?: string
  readonly policy?: Partial<Policy>
  readonly env?: Readonly<Record<string, string>>
}

/** Sends a line, ends, and reads to the end. */
const exchange = (socket: Socket) =>
  Effect.callback<string>((resume) => {
    let text = ""
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk
    }).on("end", () => resume(Effect.succeed(text))).on("close", () => resume(Effect.succeed(text)))
    socket.resume().end("hello\n")
  })

const dial = ({ address = "198.18.0.1", group = "a", name, policy = {}, port = 80 }: Request) =>
  Effect.gen(function*() {
    const dialler = yield* Dialler
    const connected = yield* dialler.dial({ name, address, port, group, rules: rulesOf(policy) })
    return { address: connected.address, viaProxy: connected.viaProxy, text: yield* exchange(connected.socket) }
  }).pipe(
    Effect.scoped,
    Effect.catchTag("DialRefused", ({ detail, remedy, reason }) => Effect.succeed({ reason, detail, remedy }))
  )

/** Starts connections and interrupts each a little later than the one before; gives how many were made. */
const interrupt = (request: Request) =>
  Effect.gen(function*() {
    const { dial } = yield* Dialler
    const { address = "", group = "a", name, policy = {}, port = 80 } = request
    const connecting = Effect.scoped(
      Effect.as(dial({ name, address, port, group, rules: rulesOf(policy) }), true)
    )
    const made = yield* Effect.forEach(
      Array.from({ length: 300 }, (_, at) => at),
      (at) => Effect.timeoutOption(connecting, `${at * 20} micros`),
      { concurrency: 20 }
    )
    return { count: made.filter(({ _tag }) => _tag === "Some").length }
  })

const resolve = ({ group = "a", name = "", policy = {}, type = 1 }: Request) =>
  Effect.gen(function*() {
    const dialler = yield* Dialler
    const { answer, denied } = yield* dialler.resolve({ name, type, group, rules: rulesOf(policy) })
    const records = answer._tag === "Records" ? Buffer.from(answer.records).toString("hex") : undefined
    return { answer: answer._tag, records, count: answer._tag === "Records" ? answer.count : 0, denied: denied?.reason }
  })

const serve = async (request: Request): Promise<unknown> => {
  switch (request.op) {
    case "dial":
      return runtime.runPromise(dial(request))
    case "interrupt":
      return runtime.runPromise(interrupt(request))
    case "resolve":
      return runtime.runPromise(resolve(request))
    case "env":
      return Object.assign(process.env, request.env)
    case "stop":
      await runtime.dispose()
      return "stopped"
    default:
      throw new Error(`no operation ${request.op}`)
  }
}

createInterface(process.stdin).on("line", async (line) => {
  const request = JSON.parse(line) as Request
  const value = await serve(request).catch((error: unknown) => ({ error: String(error) }))
  process.stdout.write(`${JSON.stringify({ id: request.id, value })}\n`)
}).on("close", () => process.exit(0))
// A resolver on the host's loopback, as systemd-resolved is.
serveDns(
  "127.0.0.53",
  (name) => name === "server.test.net" ? { addresses: ["203.0.113.10"] } : "no such name",
  () => {}
)

// A service of the host itself, which listens everywhere.
createServer((socket) => socket.on("error", () => {}).end("the host itself\n")).listen(80, "::", () => {
  process.stdout.write(`${JSON.stringify({ id: 0, value: "ready" })}\n`)
})
