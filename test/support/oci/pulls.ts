import * as fs from "node:fs"
import * as path from "node:path"
import type { installation } from "../installation.ts"
import { sharedCache } from "../own-cache.ts"
import type { TestRegistry } from "./registry.ts"

/** An image as `env list` has it. */
interface Listed {
  readonly name: string
  readonly origin: string
  readonly digest: string
  readonly image_digest?: string
}

/** Pulls from a registry into the cache that other tests use at the same time: all answers are of this registry alone. */
export const pullsOf = (pyro: ReturnType<typeof installation>, registry: TestRegistry) => {
  const reference = (name: string) => `${registry.host}/${name}`
  return {
    reference,
    pull: (name: string) => pyro.call(["env", "pull", reference(name)]),
    images: async () =>
      (await pyro.json<{ readonly environments: ReadonlyArray<Listed> }>(["env", "list"])).environments
        .filter(({ name, origin }) => origin === "image" && name.startsWith(registry.host)),
    leftovers: () =>
      fs.readdirSync(path.join(sharedCache, "environments", "tmp")).filter((entry) =>
        entry.startsWith(`image-${registry.host.replace(":", "_")}`)
      )
  }
}
