import { Context, Effect, Layer, type Scope } from "effect"
import { acquirePlain } from "../../system/waits/effects.ts"

/** Ports of the host, and the workspace that has each. */
export class PortHolders extends Context.Service<PortHolders, {
  /** Registers the workspace that has a port, until the Scope closes. */
  readonly register: (hostPort: number, workspace: string) => Effect.Effect<void, never, Scope.Scope>
  /** The workspace of this installation that has a port. `undefined` if another program has the port. */
  readonly holderOf: (hostPort: number) => string | undefined
}>()("pyro/workspace/PortHolders") {
  static readonly layer = Layer.sync(PortHolders, () => make())
}

const make = (): PortHolders["Service"] => {
  const holders = new Map<number, string>()
  return {
    register: (hostPort, workspace) =>
      Effect.asVoid(
        acquirePlain(Effect.sync(() => holders.set(hostPort, workspace)), () => holders.delete(hostPort))
      ),
    holderOf: (hostPort) => holders.get(hostPort)
  }
}
