import { Effect, type Scope } from "effect"
import * as http from "node:http"
import type { Socket } from "node:net"
import type { VmFailed } from "../../../../contract/errors/errors.ts"
import { printable } from "../../../../contract/text/printable.ts"
import { connectUnix, connectUnixSoon } from "../../../../system/processes/unix-socket.ts"
import { deadlineScale } from "../../../../system/settings/deadline-scale.ts"
import { failedAt, vmFailed } from "../../model/failure.ts"
import type { ApiRequest } from "./machine.ts"

/** Firecracker's API, which takes one request at a time. */
export interface Api {
  /** Sends requests one after the other. Fails at the first one that is refused. */
  readonly send: (step: string, ...requests: ReadonlyArray<ApiRequest>) => Effect.Effect<void, VmFailed>
  /** Whether the machine stands still. */
  readonly isPaused: Effect.Effect<boolean, VmFailed>
  /** Completes at the end of Firecracker, or of its API. */
  readonly closed: Effect.Effect<void>
}

/** Maximum time for Firecracker to open its socket. It needs 5 ms; a host that swaps needs more. */
const startTimeoutMs = 15_000 * deadlineScale

/** Maximum time of a request: a capture writes all of the memory, to a disk that may be slow. */
const usualTimeoutMs = 300_000 * deadlineScale

/** Longest answer that is read. A Firecracker under a guest's control must not fill our memory. */
const longestAnswer = 16_384

type AnyRequest = ApiRequest | { readonly method: "GET"; readonly path: string; readonly body?: undefined }

/** One request on a connection of its own. Gives the status, and the text of a refusal. */
const ask = (socket: Socket, { body, method, path }: AnyRequest) =>
  Effect.callback<{ readonly status: number; readonly text: string }, Error>((resume) => {
    const content = body === undefined ? "" : JSON.stringify(body)
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(content) }
    const request = http.request({ createConnection: () => socket, method, path, headers })
    request.once("response", (response) => {
      let text = ""
      response.setEncoding("utf8")
      response.on("data", (piece: string) => {
        text += piece
        if (text.length > longestAnswer) response.destroy(new Error("its answer is too long"))
      })
      response.once("end", () => resume(Effect.succeed({ status: response.statusCode ?? 0, text })))
      response.once("error", (cause) => resume(Effect.fail(cause)))
    })
    request.once("error", (cause) => resume(Effect.fail(cause)))
    request.end(content)
    return Effect.sync(() => void request.destroy())
  })

/** The reason in a refusal: `{ "fault_message": "..." }`. */
const reasonIn = (text: string): string => {
  try {
    const { fault_message: reason } = JSON.parse(text) as { readonly fault_message?: unknown }
    return printable(String(reason ?? text))
  } catch {
    return printable(text)
  }
}

const sendOne = (
  { answerTimeoutMs, file }: { readonly file: string; readonly answerTimeoutMs: number },
  step: string,
  request: AnyRequest
): Effect.Effect<string, VmFailed> =>
  Effect.scoped(Effect.flatMap(connectUnix(file), (socket) => ask(socket, request))).pipe(
    // Node's own timeout does not apply to a connection that it has not made.
    Effect.timeoutOrElse({
      duration: answerTimeoutMs,
      orElse: () => Effect.fail(new Error(`it does not answer within ${answerTimeoutMs} ms`))
    }),
    Effect.mapError((cause) => vmFailed(step, `Firecracker: ${request.path}: ${cause.message}`)),
    Effect.flatMap(({ status, text }) =>
      status >= 200 && status < 300
        ? Effect.succeed(text)
        : vmFailed(step, `Firecracker refuses ${request.method} ${request.path} (${status}): ${reasonIn(text)}`)
    )
  )

/** The API of a Firecracker that runs, or is about to. A connection without requests tells of its end. */
export const connectApi = (
  file: string,
  { answerTimeoutMs = usualTimeoutMs }: { readonly answerTimeoutMs?: number } = {}
): Effect.Effect<Api, VmFailed, Scope.Scope> =>
  Effect.gen(function*() {
    const to = { file, answerTimeoutMs }
    const watch = yield* Effect.mapError(connectUnixSoon(file, { timeoutMs: startTimeoutMs }), failedAt("connect"))
    const closed = Effect.callback<void>((resume) => {
      const done = () => resume(Effect.void)
      if (watch.destroyed || watch.readableEnded) return done()
      watch.once("close", done).resume()
      return Effect.sync(() => void watch.off("close", done))
    })
    return {
      closed,
      // InstanceInfo of the API: "Not started", "Running" or "Paused".
      isPaused: Effect.map(
        sendOne(to, "attach", { method: "GET", path: "/" }),
        (text) => /"state":\s*"Paused"/.test(text)
      ),
      send: (step, ...requests) => Effect.forEach(requests, (request) => sendOne(to, step, request), { discard: true })
    }
  })
