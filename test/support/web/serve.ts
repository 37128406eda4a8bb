import { Effect, Exit, Layer, References, Scope } from "effect"
import * as path from "node:path"
import { Pyro, type PyroService } from "../../../src/contract/rows/Pyro.ts"
import { makePage } from "../../../src/daemon/page.ts"
import { makeServing } from "../daemon/served-pyro.ts"

/** The page as `npm run build` makes it. */
export const builtPage = path.resolve(import.meta.dirname, "../../../dist/web")

/** The daemon's page over some operations, in this process. */
export interface ServedPage {
  /** Address that opens the page once. */
  readonly address: () => Promise<string>
  readonly port: () => number
  /** Ends the listener and its connections, as a daemon that leaves does. */
  readonly stop: () => Promise<void>
  /** Serves the page again at the same port, with the same sessions. */
  readonly start: () => Promise<void>
}

/** Serves the built page. `folder` keeps the port and the sessions. */
export const servePage = async (pyro: PyroService, folder: string): Promise<ServedPage> => {
  let scope: Scope.Closeable | undefined
  let open: (() => Promise<{ readonly port: number; readonly token: string }>) | undefined
  let port = 0
  const start = async () => {
    const own = Effect.runSync(Scope.make())
    scope = own
    const page = await Effect.runPromise(
      makePage({
        directory: builtPage,
        file: path.join(folder, "page.json"),
        serving: await Effect.runPromise(makeServing()),
        limits: { user: undefined }
      }).pipe(
        Effect.provide(Layer.merge(Layer.succeed(Pyro, pyro), Layer.succeed(References.MinimumLogLevel, "None"))),
        Scope.provide(own)
      )
    )
    open = () => Effect.runPromise(page.open(undefined))
  }
  await start()
  return {
    address: async () => {
      const opened = await open!()
      port = opened.port
      return `http://127.0.0.1:${port}/?token=${opened.token}`
    },
    port: () => port,
    stop: async () => {
      if (scope !== undefined) await Effect.runPromise(Scope.close(scope, Exit.void))
      scope = undefined
    },
    start
  }
}
