import { Effect, type Scope } from "effect"
import { ContextUnreachable, type PyroError } from "../contract/errors/errors.ts"
import { command } from "../contract/errors/next-step.ts"
import { typed } from "../contract/text/printable.ts"
import { DOOR_PROTOCOL, isToken } from "../contract/wire/token.ts"
import { readFile } from "../system/files/content.ts"
import type { LineSocket } from "../system/processes/unix-socket.ts"
import { setting } from "../system/settings/config.ts"
import { deadlineScale } from "../system/settings/deadline-scale.ts"
import { readToken, type RemoteContext } from "./contexts.ts"
import { doorUrl } from "./door-url.ts"
import type { DoorClosed } from "./door/line.ts"

/** Maximum time until the door has let the client in, in ms. */
const OPEN_MS = 30_000 * deadlineScale

/** Maximum characters of what a door says. */
const SAID_CHARACTERS = 300

/** What the door's refusal means for the person. */
const meaningOf = ({ code, message, status }: DoorClosed) => {
  const said = message.slice(0, SAID_CHARACTERS)
  switch (status) {
    case undefined:
      return code === "DEPTH_ZERO_SELF_SIGNED_CERT" || code === "UNABLE_TO_VERIFY_LEAF_SIGNATURE" ||
          code === "SELF_SIGNED_CERT_IN_CHAIN" || code === "UNABLE_TO_GET_ISSUER_CERT_LOCALLY"
        ? `no authority that this computer trusts has signed its certificate (${said}); name a private one with --ca`
        : said
    case 401:
      return `the server does not accept the token: it is unknown, revoked or expired`
    default:
      return `the server refuses with status ${status}${said === "" ? "" : `: ${said}`}`
  }
}

/** Makes the opener of lines to the door of a context. Each line is a WebSocket, which the Scope ends. Fails with `ContextUnreachable`. */
export const makeDoorOpen = (context: RemoteContext) => {
  const { name, url } = context
  const unreachable = (detail: string) => new ContextUnreachable({ context: name, url, detail })
  const file = (path: string | undefined) =>
    path === undefined
      ? Effect.undefined
      : Effect.mapError(readFile(path), ({ message }) => unreachable(message))
  const open: Effect.Effect<LineSocket, PyroError, Scope.Scope> = Effect.gen(function*() {
    const address = doorUrl(url)
    if (typeof address === "string") return yield* unreachable(address)
    const token = (yield* readToken(name)) ?? (yield* setting("PYRO_TOKEN"))
    if (token === undefined || !isToken(token)) {
      return yield* new ContextUnreachable({
        context: name,
        url,
        detail: token === undefined ? "there is no token for it" : "its token is none of pyro",
        next: [command("Give it one", `pyro context add ${typed([name, url])} --token-file FILE --replace`)]
      })
    }
    const [ca, cert, key] = [yield* file(context.ca), yield* file(context.cert), yield* file(context.key)]
    const { openLine } = yield* Effect.promise(() => import("./door/line.ts"))
    return yield* Effect.acquireRelease(
      Effect.tryPromise({
        try: (signal) =>
          openLine({ url: address.href, protocol: DOOR_PROTOCOL, token, timeoutMs: OPEN_MS, ca, cert, key }, signal),
        catch: (cause) => unreachable(meaningOf(cause as DoorClosed))
      }),
      (line) => Effect.sync(() => void line.destroy()),
      { interruptible: true }
    )
  })
  return open
}
