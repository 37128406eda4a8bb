import { Effect } from "effect"
import { InvalidRequest } from "../contract/errors/errors.ts"
import { call, option } from "../contract/errors/next-step.ts"
import type { BuildPayload } from "../contract/rows/environment.ts"
import type { PyroService } from "../contract/rows/Pyro.ts"
import { type Environment, Environments, type OnProgress } from "../lib/environment/Environments.ts"
import { configOf } from "../lib/environment/image-export.ts"
import { packageNames } from "../lib/environment/model/own.ts"
import { openFile } from "../system/files/content.ts"
import { toHostErrorOf } from "../system/files/failure.ts"
import { nowIso } from "../system/waits/time.ts"
import { buildInMicroVm } from "./builder/builder.ts"
import { uploadOfFile } from "./builder/give-file.ts"

/** Hosts of the packages of Debian, Ubuntu and Alpine, as their images name them. */
const MIRRORS = [
  "debian",
  "archive.ubuntu.com:80",
  "security.ubuntu.com:80",
  "dl-cdn.alpinelinux.org:80",
  "dl-cdn.alpinelinux.org:443"
]

/** Adds packages to an environment of an image, with the image's own tools in a builder microVM. */
export const addToImage = (
  pyro: PyroService,
  base: Environment,
  { allowHosts, name, npm, packages: asked, replace }: BuildPayload & { readonly name: string },
  onProgress: OnProgress
) =>
  Effect.scoped(Effect.gen(function*() {
    if (npm.length > 0) {
      return yield* new InvalidRequest({
        field: "npm",
        detail: `${base.name} is an image, which gets no packages of npm`,
        next: [
          option("Add them with a Dockerfile", "dockerfile"),
          call("Or add them in a workspace, and keep its files", "workspace.commit", { name }, "workspace")
        ]
      })
    }
    const { packages } = yield* packageNames({ packages: asked, npm })
    const { inspect, keepImage, list } = yield* Environments
    const known = (yield* list).find((one) => one.name === name)
    // The same request gives the same environment.
    const isThere = known !== undefined && known.state !== "absent" && known.own?.from === base.name &&
      known.own.packages.join() === packages.join()
    if (isThere && !replace) return yield* Effect.asVoid(inspect(name, { verify: false }))
    const fd = yield* Effect.mapError(openFile(base.imagePath, "r"), toHostErrorOf(base.imagePath))
    const upload = yield* uploadOfFile(fd, base.imagePath)
    const added = { id: yield* nowIso, config: configOf(base), packages }
    yield* keepImage(name, (file) =>
      buildInMicroVm(pyro, {
        reference: name,
        request: { architecture: "amd64", added },
        allowHosts: [...new Set([...MIRRORS, ...allowHosts])],
        registries: [],
        uploads: { "/workspace/base.erofs": upload },
        file,
        onProgress
      }), { from: base.name, packages, replace })
  }))
