import { Context, Effect, Layer, type Scope } from "effect"
import { Pyro, type PyroService } from "../../../src/contract/rows/Pyro.ts"
import { layerRemote } from "../../../src/sdk/client.ts"
import { socketTo } from "../../../src/sdk/connection/connection.ts"

/** A client over the line of a socket, until the Scope closes. */
export const remoteClient = (
  socket: string,
  times: Parameters<typeof layerRemote>[1] = {}
): Effect.Effect<PyroService, unknown, Scope.Scope> =>
  Effect.map(Layer.build(layerRemote(socketTo(socket), { pingMs: 60_000, ...times })), Context.get(Pyro))
