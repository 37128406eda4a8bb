import { create, get, list, make, open, saved } from "./handle/client.ts"
import { down, up } from "./handle/project.ts"
import type { WorkspaceHandle } from "./handle/workspace.ts"

/** A workspace that a program of Effect holds. Its methods need no service. */
export type Workspace = WorkspaceHandle

/**
 * Workspaces for programs of Effect: the same shape as `pyro/promises`, with Effects, Streams and typed errors.
 *
 * @example
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const ws = yield* Workspace.make({ seedPath: "." })
 *   return yield* ws.exec("python3 -m unittest")
 * }))
 */
export const Workspace = { make, create, open, get, list, up, down, saved } as const
