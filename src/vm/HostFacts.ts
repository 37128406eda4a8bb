import { Context, Effect, Layer, Ref, Schema } from "effect"
import * as path from "node:path"
import { byName } from "../contract/text/names.ts"
import { readJson, writeJsonAtomic } from "../system/files/atomic-file.ts"
import { Paths } from "../system/files/Paths.ts"
import { hostBootId } from "../system/processes/identity.ts"

const Facts = Schema.Struct({
  bootId: Schema.String,
  values: byName(Schema.String)
})

/**
 * Things about this host that are slow to find out and stay true until it boots again: the TSC's frequency, whether KVM
 * really boots a kernel, what QEMU there is. Kept in one file of the cache; a key holds everything the answer depends on.
 */
export class HostFacts extends Context.Service<HostFacts, {
  /** The known answer, or the one that `find` gives now and that is kept for the next time. */
  readonly get: <E, R>(key: string, find: Effect.Effect<string, E, R>) => Effect.Effect<string, E, R>
}>()("pyro/vm/HostFacts") {
  static readonly layer = Layer.effect(HostFacts, Effect.suspend(() => make))
}

const make = Effect.gen(function*() {
  const { cacheDir } = yield* Paths
  const file = path.join(cacheDir, "host-facts.json")
  // A file that cannot be read is no more than a cache that is empty.
  const load = readJson(file, Facts).pipe(
    Effect.map((found) => found._tag === "Some" && found.value.bootId === hostBootId() ? found.value.values : {}),
    Effect.orElseSucceed(() => ({}))
  )
  const known = yield* Ref.make<Readonly<Record<string, string>>>(yield* load)
  return {
    get: <E, R>(key: string, find: Effect.Effect<string, E, R>) =>
      Effect.gen(function*() {
        const value = (yield* Ref.get(known))[key]
        if (value !== undefined) return value
        const found = yield* find
        const all = { ...(yield* load), ...(yield* Ref.get(known)), [key]: found }
        yield* Ref.set(known, all)
        yield* writeJsonAtomic(file, Facts, { bootId: hostBootId(), values: all }).pipe(Effect.ignoreCause)
        return found
      })
  }
})
