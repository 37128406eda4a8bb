import { Context, Effect, Layer, Ref, Schema } from "effect"
import * as path from "node:path"
import { byName } from "../../../contract/text/names.ts"
import { readJson, writeJsonAtomic } from "../../../system/files/atomic-file.ts"
import { Paths } from "../../../system/files/Paths.ts"
import { hostBootId } from "../../../system/processes/identity.ts"

const Facts = Schema.Struct({
  bootId: Schema.String,
  values: byName(Schema.String)
})

/**
 * Facts about this host that are slow to find and stay true until the next boot: the TSC's frequency, whether KVM boots a kernel, the
 * version of QEMU. One file of the cache has them. A key names everything that the answer depends on.
 */
export class HostFacts extends Context.Service<HostFacts, {
  /** The known answer, else the answer of `find`, which is then stored. */
  readonly get: <E, R>(key: string, find: Effect.Effect<string, E, R>) => Effect.Effect<string, E, R>
}>()("pyro/vm/HostFacts") {
  static readonly layer = Layer.effect(HostFacts, Effect.suspend(() => make))
}

const make = Effect.gen(function*() {
  const { cacheDir } = yield* Paths
  const file = path.join(cacheDir, "host-facts.json")
  // An unreadable file counts as an empty cache.
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
