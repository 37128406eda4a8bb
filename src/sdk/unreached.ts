import { Effect, Layer, Stream } from "effect"
import { NoMicroVms, type PyroError } from "../contract/errors/errors.ts"
import { mapCalls, Pyro, type PyroService } from "../contract/rows/Pyro.ts"
import { computerName } from "../system/settings/this-computer.ts"

/** A line of `doctor`. */
export const doctorLine = (
  name: string,
  found: { readonly ok: boolean; readonly found: string; readonly fix?: string }
) => ({ _tag: "Line" as const, name, ...found })

/** A machine that is not reached: `doctor` says why, in the line `name`, and each other call fails. */
export const unreached = (name: string, error: PyroError): PyroService => ({
  ...mapCalls(({ kind }) => () => kind === "unary" ? Effect.fail(error) : Stream.fail(error)),
  doctor: () => {
    const [step] = error.next ?? []
    const fix = step !== undefined && "command" in step ? { fix: step.command } : {}
    return Stream.make(doctorLine(name, { ok: false, found: error.fact, ...fix }))
  }
})

/** Pyro on a computer that runs no microVMs, without a context. */
export const layerNoMicroVms: Layer.Layer<Pyro> = Layer.sync(
  Pyro,
  () => unreached("microVMs", new NoMicroVms({ computer: computerName() }))
)
