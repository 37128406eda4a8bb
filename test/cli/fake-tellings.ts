import { Effect, Layer } from "effect"
import { Pyro } from "../../src/contract/Pyro.ts"
import { Tellings } from "../../src/local/tellings.ts"
import { tellingOf } from "../../src/system/telling.ts"

/** What the daemon asks a fake for bit by bit, made of its stream. */
export const fakeTellings = Layer.effect(
  Tellings,
  Effect.map(Pyro, (pyro) => (payload, input) => tellingOf(pyro.workspace.exec(payload, input)))
)
