import { Context, Effect, Layer, Stream } from "effect"
import type { PyroError } from "../contract/errors.ts"
import { Pyro, type PyroService } from "../contract/Pyro.ts"
import { SeedImages } from "../disk/SeedImages.ts"
import { Environments } from "../environment/Environments.ts"
import { Kernel } from "../environment/Kernel.ts"
import { Paths } from "../system/Paths.ts"
import { HostFacts } from "../vm/HostFacts.ts"
import { Vmm } from "../vm/Vmm.ts"
import { doctor } from "./doctor/doctor.ts"
import {
  inspectEnvironment,
  listEnvironments,
  pruneEnvironments,
  pullEnvironment,
  removeEnvironment
} from "./environments.ts"
import { gc } from "./gc.ts"
import { run } from "./run.ts"

/** The services that the work is done with, all in this process. */
export const services = Vmm.layerQemu.pipe(
  Layer.provideMerge(Layer.mergeAll(Environments.layer, SeedImages.layer)),
  Layer.provideMerge(Layer.mergeAll(Kernel.layer, HostFacts.layer)),
  Layer.provideMerge(Paths.layer)
)

const make = Effect.gen(function*() {
  // These alone: the context of a Layer under construction also holds the Layer's own Scope.
  const context = Context.pick(Environments, HostFacts, Kernel, Paths, SeedImages, Vmm)(
    yield* Effect.context<Layer.Layer.Success<typeof services>>()
  )
  const effect = <A, E, R extends Layer.Layer.Success<typeof services>>(work: Effect.Effect<A, E, R>) =>
    Effect.provide(work, context)
  const stream = <A, E, R extends Layer.Layer.Success<typeof services>>(work: Stream.Stream<A, E, R>) =>
    Stream.provideContext(work, context as Context.Context<R>)
  const pyro: PyroService = {
    run: (payload, input) => stream(run(payload, input)),
    env: {
      list: () => effect(listEnvironments),
      pull: (payload) => stream(pullEnvironment(payload)),
      inspect: ({ environment }) => effect(inspectEnvironment(environment)),
      rm: ({ environment }) => effect(removeEnvironment(environment)),
      prune: () => effect(pruneEnvironments)
    },
    doctor: (payload) => stream(doctor(payload)),
    gc: () => effect(gc)
  }
  return pyro
})

/** Pyro without a daemon: everything is done in this process and ends with it. */
export const layer: Layer.Layer<Pyro, PyroError> = Layer.effect(Pyro, make).pipe(Layer.provide(services))
