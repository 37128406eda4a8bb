import { Effect, Exit, Scope } from "effect"
import { PAGE_RPC_PATH, PAGE_SESSION_PATH, pageProtocols } from "../../../../src/contract/wire/page.ts"
import type { Connection } from "../../../../src/sdk/over-socket.ts"
import { makeStore } from "../live/store.ts"
import { openConnection } from "./open.ts"

/**
 * `connecting`: the first attempt is under way. `lost`: the daemon does not answer, and the page tries again. `signed-out`: the session of this
 * browser is over, and only `pyro ui` gives a new one.
 */
export type LinkState = "connecting" | "open" | "lost" | "signed-out"

/** Pauses between two attempts, in ms: the first ones are short, for a daemon that restarts. */
const PAUSES_MS = [100, 200, 400, 800, 1_500, 3_000] as const

export const linkState = makeStore<LinkState>("connecting")

let current: Connection | undefined
let waiting: Array<(connection: Connection) => void> = []
let wake = () => {}

/** The open connection, or the next one. */
export const connected = (): Promise<Connection> =>
  current === undefined ? new Promise((resolve) => void waiting.push(resolve)) : Promise.resolve(current)

/** The open connection. Undefined while there is none. */
export const connectedNow = () => current

const opened = (connection: Connection) => {
  current = connection
  linkState.set("open")
  const resumed = waiting
  waiting = []
  for (const resume of resumed) resume(connection)
}

const url = () => `ws://${location.host}${PAGE_RPC_PATH}`

/** One connection, from its attempt to its end. */
const connectOnce = async () => {
  const protocols = pageProtocols(globalThis.window)
  if (protocols === undefined) return "no-key"
  const scope = Effect.runSync(Scope.make())
  let ended = () => {}
  const end = new Promise<void>((resolve) => {
    ended = resolve
  })
  const exit = await Effect.runPromiseExit(Scope.provide(openConnection(url(), protocols, ended), scope))
  if (Exit.isSuccess(exit)) {
    opened(exit.value)
    await end
    current = undefined
  }
  await Effect.runPromise(Scope.close(scope, Exit.void))
  return Exit.isSuccess(exit) ? "was-open" : "not-open"
}

/** Whether the daemon runs and does not know this browser any more. */
const isSignedOut = async () => {
  try {
    return (await fetch(PAGE_SESSION_PATH, { cache: "no-store" })).status === 401
  } catch {
    return false
  }
}

const pause = (ms: number) =>
  new Promise<void>((resolve) => {
    wake = resolve
    setTimeout(resolve, ms)
  })

/** Connects, and connects again after each loss, as long as the page is open. */
export const keepConnected = async (): Promise<never> => {
  let failures = 0
  // A page that was in the background, or a computer that slept, tries again at once.
  for (const event of ["online", "focus", "pageshow"]) globalThis.addEventListener(event, () => wake())
  for (;;) {
    const how = await connectOnce()
    failures = how === "was-open" ? 0 : failures + 1
    linkState.set(how === "no-key" || await isSignedOut() ? "signed-out" : "lost")
    await pause(PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)]!)
  }
}
