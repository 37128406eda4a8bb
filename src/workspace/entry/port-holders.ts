import { Context, Effect, Layer, type Scope } from "effect"
import { acquirePlain } from "../../system/waits/scopes.ts"

/** The workspaces of an installation by their ports of the host. */
export class PortHolders extends Context.Service<PortHolders, {
  /** Remembers whose port it is, until the Scope closes. */
  readonly hold: (hostPort: number, workspace: string) => Effect.Effect<void, never, Scope.Scope>
  /** Workspace of this installation that has a port of the host; undefined if another program has it. */
  readonly holderOf: (hostPort: number) => string | undefined
}>()("pyro/workspace/PortHolders") {
  static readonly layer = Layer.sync(PortHolders, () => make())
}

const make = (): PortHolders["Service"] => {
  const holders = new Map<number, string>()
  return {
    hold: (hostPort, workspace) =>
      Effect.asVoid(
        acquirePlain(Effect.sync(() => holders.set(hostPort, workspace)), () => holders.delete(hostPort))
      ),
    holderOf: (hostPort) => holders.get(hostPort)
  }
}
