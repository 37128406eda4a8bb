import { Effect, type Scope } from "effect"
import { acquirePlain } from "../../system/scopes.ts"

/** The workspaces of this process by their ports of the host. */
const holders = new Map<number, string>()

/** Remembers whose port it is, until the Scope closes. */
export const holdPort = (hostPort: number, workspace: string): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(
    acquirePlain(Effect.sync(() => holders.set(hostPort, workspace)), () => holders.delete(hostPort))
  )

/** Workspace of this process that has a port of the host; undefined if another program has it. */
export const holderOf = (hostPort: number): string | undefined => holders.get(hostPort)
