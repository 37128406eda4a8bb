import { Effect, Layer, Schema } from "effect"
import type { InvalidRequest, PyroError } from "../contract/errors/errors.ts"
import { halfCharacterIn } from "../contract/errors/half-character.ts"
import { invalidRequest } from "../contract/errors/issue.ts"
import { Pyro, type PyroService } from "../contract/rows/Pyro.ts"
import { callersPath } from "../system/files/host-path.ts"
import type { ConnectOptions } from "./promises/client.ts"

const text = Schema.optional(Schema.NonEmptyString)
const MAX_WAIT_MS = 86_400_000

const Known = Schema.Struct({
  context: text,
  stateDir: text,
  startDaemon: Schema.optional(Schema.Boolean),
  startTimeoutMs: Schema.optional(
    Schema.Number.pipe(Schema.check(Schema.isBetween({ minimum: 1, maximum: MAX_WAIT_MS })))
  ),
  driver: Schema.optional(Schema.Literals(["auto", "qemu", "firecracker"]))
})

/** The options of a connection, also from a caller without types. A relative directory is relative to this program's. */
export const readConnectOptions = (options: ConnectOptions): Effect.Effect<ConnectOptions, InvalidRequest> =>
  Schema.decodeUnknownEffect(Known, { onExcessProperty: "error", reportInput: true })(options).pipe(
    Effect.mapError((error) => invalidRequest(error)),
    Effect.flatMap((read) => {
      const refused = halfCharacterIn(read)
      if (refused !== undefined) return Effect.fail(refused)
      const { stateDir, ...rest } = read
      return Effect.succeed(stateDir === undefined ? rest : { ...rest, stateDir: callersPath(stateDir) })
    })
  )

/** Requests that make a VM of no snapshot have this driver, unless they name one. */
const defaulting = <Payload extends { readonly driver?: unknown; readonly fromSnapshot?: unknown }>(
  payload: Payload,
  driver: ConnectOptions["driver"]
): Payload => payload.driver === undefined && payload.fromSnapshot === undefined ? { ...payload, driver } : payload

/** The same service with a driver for the workspaces that it makes. */
const withDriver = (service: PyroService, driver: ConnectOptions["driver"]): PyroService => ({
  ...service,
  run: (payload, ...more) => service.run(defaulting(payload, driver), ...more),
  workspace: {
    ...service.workspace,
    create: (payload) => service.workspace.create(defaulting(payload, driver))
  }
})

export const layerWithDriver = (
  layer: Layer.Layer<Pyro, PyroError>,
  driver: ConnectOptions["driver"]
): Layer.Layer<Pyro, PyroError> =>
  driver === undefined
    ? layer
    : Layer.provide(Layer.effect(Pyro, Effect.map(Pyro, (service) => withDriver(service, driver))), layer)
