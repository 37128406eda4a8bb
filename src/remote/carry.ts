import { Effect, Stream } from "effect"
import type { PyroService } from "../contract/rows/Pyro.ts"
import { readingCalls } from "./files/reading.ts"
import { writingCalls } from "./files/writing.ts"
import { forgetSource, type SourcesOf } from "./model/sources.ts"

/**
 * Pyro on another machine, for callers whose files are on this one: what names a file of this computer is read, packed, judged and written here. Calls
 * that are not here go to the machine as they are, and `refusedPath` refuses their paths.
 */
export const carrying = (pyro: PyroService, of: SourcesOf): PyroService => {
  const reading = readingCalls(pyro, of)
  const writing = writingCalls(pyro)
  return {
    ...pyro,
    run: reading.run,
    env: { ...pyro.env, build: reading.build, import: reading.importEnvironment, export: writing.exportEnvironment },
    saved: { ...pyro.saved, import: reading.importSaved, export: writing.exportSaved },
    workspace: {
      ...pyro.workspace,
      create: reading.create,
      delete: (payload) =>
        Effect.tap(
          pyro.workspace.delete(payload),
          ({ deleted }) => Effect.forEach(deleted, (id) => Effect.ignore(forgetSource(of, id)), { discard: true })
        ),
      import: reading.importing,
      sync: { ...pyro.workspace.sync, push: reading.push },
      disk: { ...pyro.workspace.disk, export: writing.exportDisk },
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
  }
}
