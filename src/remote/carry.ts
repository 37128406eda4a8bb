import { Effect, Stream } from "effect"
import type { PyroService } from "../contract/rows/Pyro.ts"
import type { SourcesOf } from "./model/sources.ts"

/**
 * Pyro on another machine, for callers whose files are on this one: what names a file of this computer is read, packed, judged and written here. Calls
 * that are not here go to the machine as they are, and `refusedPath` refuses their paths.
 */
export const carrying = (pyro: PyroService, of: SourcesOf): PyroService => ({
  ...pyro,
  workspace: {
    ...pyro.workspace,
    export: (payload) =>
      payload.output === "-"
        ? pyro.workspace.export(payload)
        : Stream.unwrap(
          Effect.map(
            Effect.promise(() => import("./files/export.ts")),
            ({ exportOver }) => exportOver(pyro, of, payload)
          )
        )
  }
})
