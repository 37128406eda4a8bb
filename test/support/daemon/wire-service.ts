import { Effect, Stream } from "effect"
import { WorkspaceNotFound } from "../../../src/contract/errors/errors.ts"
import type { PyroService } from "../../../src/contract/rows/Pyro.ts"
import type { ExecEvent } from "../../../src/contract/rows/workspace-exec.ts"
import { unfakedPyro } from "./unfaked-pyro.ts"

const execId = "0123456789abcdef".repeat(2)
/** Its events, with every kind of byte. */
export const EVENTS: ReadonlyArray<ExecEvent> = [
  { _tag: "Started", execId },
  ...Array.from({ length: 200 }, (_, at): ExecEvent => ({
    _tag: "Output",
    from: "stdout",
    bytes: Uint8Array.of(at, 0, 255),
    next: 3 * at + 3
  })),
  { _tag: "Exited", outcome: "exited", status: 0, durationMs: 1 }
]

/** Operations with a result, an error, and events with bytes. */
export const service: PyroService = {
  ...unfakedPyro,
  workspace: {
    ...unfakedPyro.workspace,
    exec: () => Stream.rechunk(Stream.fromIterable(EVENTS), 4),
    list: () => Effect.succeed({ workspaces: [] }),
    status: ({ workspace }) => new WorkspaceNotFound({ workspace, similar: [] })
  }
}
