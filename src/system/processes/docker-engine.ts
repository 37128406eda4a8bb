import { Data, Effect, type Scope, Stream } from "effect"
import { existsSync } from "node:fs"
import { type IncomingMessage, request } from "node:http"
import { ProcessVariables } from "../settings/config.ts"
import { readableBytes } from "./readable.ts"

/** No engine gives the image. The detail is a clause. */
export class EngineFailed extends Data.TaggedError("EngineFailed")<{ readonly detail: string }> {}

/** Maximum characters of an engine's own error. */
const MAX_MESSAGE = 1000

const failed = (detail: string) => new EngineFailed({ detail })

/** Socket of this host's engine, as Docker's command line finds it. */
const socketPath = Effect.flatMap(ProcessVariables, (values) => {
  const host = values["DOCKER_HOST"] ?? ""
  if (host.startsWith("unix://")) return Effect.succeed(host.slice("unix://".length))
  if (host !== "") {
    return Effect.fail(failed(`DOCKER_HOST is ${host}, and only a socket of this host is read (unix://PATH)`))
  }
  const runtime = values["XDG_RUNTIME_DIR"] ?? ""
  const places = ["/var/run/docker.sock", ...(runtime === "" ? [] : [`${runtime}/docker.sock`])]
  const found = places.find((place) => existsSync(place))
  return found === undefined
    ? Effect.fail(failed(`no engine is on this host: there is no socket ${places.join(" or ")}`))
    : Effect.succeed(found)
})

/** Answer of the engine to a GET. The Scope ends the connection. */
const get = (socket: string, path: string) =>
  Effect.flatMap(
    Effect.acquireRelease(
      Effect.sync(() =>
        request({ socketPath: socket, path, method: "GET", agent: false, headers: { host: "docker" } })
      ),
      (asked) => Effect.sync(() => asked.destroy())
    ),
    (asked) =>
      Effect.callback<IncomingMessage, EngineFailed>((resume) => {
        asked.on(
          "error",
          ({ message }) => resume(Effect.fail(failed(`the engine at ${socket} does not answer: ${message}`)))
        )
        asked.on("response", (answer) => resume(Effect.succeed(answer)))
        asked.end()
      })
  )

const messageOf = (text: string) => {
  try {
    const { message } = JSON.parse(text) as { readonly message?: unknown }
    return typeof message === "string" ? message : text
  } catch {
    return text
  }
}

/**
 * The archive of an image that this host's engine has (`GET /images/NAME/get` of Docker's API), as it comes. The engine has answered when the
 * stream is given. The Scope ends the connection.
 */
export const imageOfEngine = (
  image: string
): Effect.Effect<Stream.Stream<Uint8Array, EngineFailed>, EngineFailed, Scope.Scope> =>
  Effect.gen(function*() {
    if (!/^[A-Za-z0-9][A-Za-z0-9._/:@-]*$/.test(image)) return yield* failed(`"${image}" is no name of an image`)
    const socket = yield* socketPath
    const answer = yield* get(socket, `/images/${image}/get`)
    const broken = (cause: Error) => failed(`the engine at ${socket} broke off: ${cause.message}`)
    const bytes = Stream.mapError(readableBytes(answer), broken)
    if (answer.statusCode === 200) return bytes
    const text = yield* Stream.runFold(
      bytes,
      () => "",
      (said, piece) => said.length > MAX_MESSAGE ? said : said + Buffer.from(piece).toString("utf8")
    )
    return yield* failed(
      `the engine at ${socket} answers ${answer.statusCode}: ${messageOf(text).slice(0, MAX_MESSAGE)}`
    )
  })
