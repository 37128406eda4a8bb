import { Effect, Stream } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { connect as connectTo, createServer } from "node:net"
import { constants } from "node:os"
import { InvalidRequest } from "../../../../../src/contract/errors/errors.ts"
import { AgentCallFailed } from "../../../../../src/lib/guest-channel/model/errors.ts"
import type { GuestSocket } from "../../../../../src/lib/guest-channel/model/network.ts"
import type {
  GuestProcess,
  ProcessExit,
  ProcessOutput,
  TerminalSize
} from "../../../../../src/lib/guest-channel/model/process.ts"
import type { SshGuest, SshProgram } from "../../../../../src/lib/ssh/serve.ts"

const numberOf = (signal: number | string) =>
  typeof signal === "number" ? signal : constants.signals[signal as NodeJS.Signals]

const nothing = Effect.void

/** A process of this host as one of a guest. A terminal is a pipe. */
const processOf = (
  child: ChildProcess,
  { ended, resizes, took }: { ended: () => void; resizes: Array<TerminalSize>; took: (bytes: number) => void }
): GuestProcess => {
  const exited = new Promise<ProcessExit>((resolve) => {
    child.once("close", (code, signal) => {
      ended()
      resolve(
        signal === null
          ? { _tag: "exited", code: code ?? 0, durationMs: 1 }
          : { _tag: "signaled", code: constants.signals[signal], durationMs: 1 }
      )
    })
  })
  const signal = (number: number, group: boolean) =>
    Effect.sync(() => {
      try {
        process.kill(group ? -child.pid! : child.pid!, number)
      } catch { /* it has ended */ }
    })
  return {
    id: "",
    pid: child.pid ?? 0,
    output: Stream.empty,
    forEachOutput: (f) =>
      Effect.all(
        (["stdout", "stderr"] as const).map((from) =>
          Stream.runForEach(
            Stream.fromAsyncIterable(child[from] as AsyncIterable<Buffer>, (cause) => cause as never),
            (bytes) => {
              took(bytes.length)
              return f({ from, offset: 0, bytes } satisfies ProcessOutput)
            }
          )
        ),
        { concurrency: 2, discard: true }
      ),
    keepFrom: () => {},
    stdinOffset: 0,
    stdinSent: () => 0,
    writeStdin: (bytes) =>
      Effect.callback((resume) => {
        child.stdin!.write(bytes, () => resume(nothing))
      }),
    tryWriteStdin: () => false,
    endStdin: Effect.sync(() => void child.stdin!.end()),
    resize: (size) => Effect.sync(() => void resizes.push(size)),
    signal: (number, target) => signal(numberOf(number), target === "group"),
    kill: signal(9, true),
    exit: Effect.promise(() => exited),
    release: nothing
  }
}

const socketTo = (port: number) =>
  Effect.gen(function*() {
    const socket = yield* Effect.acquireRelease(
      Effect.callback<ReturnType<typeof connectTo>, AgentCallFailed>((resume) => {
        const made = connectTo({ port, host: "127.0.0.1", allowHalfOpen: true })
        made.once("connect", () => resume(Effect.succeed(made)))
        made.once("error", ({ message }) =>
          resume(new AgentCallFailed({ operation: "connect", errno: "ECONNREFUSED", detail: message })))
      }),
      (made) =>
        Effect.sync(() => made.destroy())
    )
    const received = Stream.fromAsyncIterable(socket as AsyncIterable<Buffer>, () =>
      new AgentCallFailed({ operation: "connect", errno: "ECONNRESET", detail: "" }))
    const guest: GuestSocket = {
      received,
      forEachReceived: (f) =>
        Stream.runForEach(received, f),
      write: (bytes) =>
        Effect.callback((resume) => {
          socket.write(bytes, () =>
            resume(nothing))
        }),
      end: Effect.sync(() => void socket.end()),
      closed: Effect.callback((resume) => {
        if (socket.closed) resume(nothing)
        else socket.once("close", () => resume(nothing))
      })
    }
    return guest
  })

/** This host as the guest of an SSH connection, with what was asked of it. */
export const localGuest = () => {
  const programs: Array<SshProgram> = []
  const resizes: Array<TerminalSize> = []
  let outputBytes = 0
  let running = 0
  const start: SshGuest["start"] = (program) =>
    Effect.sync(() => {
      programs.push(program)
      running++
      const args = program.what === "shell" ? [] : ["-c", program.command]
      const child = spawn("sh", args, { stdio: "pipe", detached: true })
      child.stdin.on("error", () => {})
      return processOf(child, { resizes, took: (bytes) => (outputBytes += bytes), ended: () => running-- })
    })
  return {
    start,
    connect: ((to) =>
      "port" in to && to.host === "localhost"
        ? socketTo(to.port)
        : new InvalidRequest({ field: "host", detail: "no" })) satisfies SshGuest["connect"],
    programs,
    resizes,
    outputBytes: () => outputBytes,
    running: () => running,
    /** A server that sends back what it gets. Gives its port. */
    echoServer: Effect.acquireRelease(
      Effect.callback<ReturnType<typeof createServer>>((resume) => {
        const server = createServer({ allowHalfOpen: true }, (socket) => void socket.pipe(socket))
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) => Effect.sync(() => server.close())
    ).pipe(Effect.map((server) => (server.address() as { readonly port: number }).port))
  }
}
