import { Effect, Layer, Option } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { SeedImages } from "../../../src/lib/disk/SeedImages.ts"
import { Environments } from "../../../src/lib/environment/Environments.ts"
import { Kernel } from "../../../src/lib/environment/Kernel.ts"
import { Dialler } from "../../../src/lib/network/Dialler.ts"
import { SecretRegistry } from "../../../src/lib/redaction/secrets.ts"
import { HostFacts } from "../../../src/lib/vm/model/HostFacts.ts"
import { Vmm } from "../../../src/lib/vm/Vmm.ts"
import { Paths } from "../../../src/system/files/Paths.ts"
import { EventLog } from "../../../src/workspace/entry/events.ts"
import { PortHolders } from "../../../src/workspace/entry/port-holders.ts"
import type { LocalAgentOptions } from "../local-agent/options.ts"
import { makeLocalAgentVmm } from "../local-agent/vmm.ts"

const digest = "0".repeat(64)

/** Small files in place of an environment and a kernel: a local agent reads neither. */
const images = Effect.map(Paths, ({ cacheDir }) => {
  const folder = path.join(cacheDir, "no-images")
  fs.mkdirSync(folder, { recursive: true })
  const file = (name: string) => {
    const place = path.join(folder, name)
    if (!fs.existsSync(place)) fs.writeFileSync(place, name)
    return place
  }
  return { environment: file("environment"), vmlinux: file("vmlinux"), initrd: file("initrd") }
})

const unused = Effect.die(new Error("a local agent has no images to build"))

/** An environment that a local agent would have to build. */
export const ABSENT = "debian:13"

const environments = Layer.effect(
  Environments,
  Effect.map(images, ({ environment }) => {
    const one = {
      name: "debian:12",
      digest,
      imagePath: environment,
      sizeBytes: fs.statSync(environment).size,
      kernelVersion: "0",
      builtAt: new Date(0).toISOString()
    }
    return Environments.of({
      list: unused,
      resolve: () => Effect.succeed(Option.some(one)),
      ensure: (name, { beforeBuild = Effect.void } = {}) =>
        name === ABSENT ? Effect.andThen(beforeBuild, unused) : Effect.succeed(one),
      pull: () => Effect.succeed(one),
      define: () => unused,
      keepImage: () => unused,
      inspect: () => unused,
      remove: () => unused,
      sweep: Effect.succeed(0),
      prune: unused
    })
  })
)

const kernel = Layer.effect(
  Kernel,
  Effect.map(images, ({ initrd, vmlinux }) => {
    const one = { version: "0", digest, vmlinux, initrd }
    return Kernel.of({
      ensure: Effect.succeed(one),
      ensureWith: () => Effect.succeed(one),
      modules: () => unused,
      sweep: Effect.succeed(0),
      prune: unused
    })
  })
)

/** The services that workspaces need, over local agents. */
export const localAgentServices = (options: LocalAgentOptions) =>
  Layer.effect(Vmm, makeLocalAgentVmm(options)).pipe(
    Layer.provideMerge(Layer.mergeAll(environments, SeedImages.layer)),
    Layer.provideMerge(Layer.mergeAll(kernel, HostFacts.layer, Dialler.layer)),
    Layer.provideMerge(Layer.mergeAll(EventLog.layer, Paths.layer, PortHolders.layer)),
    Layer.provideMerge(SecretRegistry.layer)
  )
