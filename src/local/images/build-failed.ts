import { Effect } from "effect"
import { ImagePullFailed } from "../../contract/errors/errors.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import { parseReference } from "../../contract/text/image-reference.ts"
import { printable } from "../../contract/text/printable.ts"
import { type Building, failed, type Refused } from "./builder-files.ts"
import { optionOf, troubles } from "./pull-failed.ts"

/** Maximum hosts and images that an error names. */
const MOST_NAMED = 5

const few = (names: ReadonlyArray<string>) => [...new Set(names)].slice(0, MOST_NAMED)

/** What a step of a Dockerfile could not reach, and how to allow it. */
const deniedText = (pyro: PyroService, workspace: string) =>
  Effect.map(troubles(pyro, workspace, []), (entries) => {
    const denied = entries.filter(({ outcome }) => outcome === "denied")
    const options = few(denied.flatMap((entry) => optionOf(entry) ?? []))
    return options.length === 0 ? "" : `\nThe network denied hosts. Allow what you trust: ${options.join(" ")}`
  })

/** The error of a build that the builder refused. A base whose registry fell silent was not pulled, and all else is of the build. */
export const buildFailed =
  (pyro: PyroService, { reference, unknownImages = [] }: Pick<Building, "reference" | "unknownImages">) =>
  (workspace: string, { detail, image = "", kind }: Refused) =>
    Effect.gen(function*() {
      if (kind === "stalled") {
        return yield* new ImagePullFailed({ image: parseReference(image)?.name ?? reference, reason: kind, detail })
      }
      if (kind !== "dockerfile" && kind !== "feature") return yield* failed(reference, kind, detail)
      const unknown = unknownImages.length === 0
        ? ""
        : `\nOnly the build knows these images: ${
          printable(few(unknownImages).join(", "))
        }. Their registries need --allow-host`
      return yield* failed(reference, kind, `${detail}${yield* deniedText(pyro, workspace)}${unknown}`)
    })
