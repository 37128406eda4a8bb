import { Effect } from "effect"
import { ImagePullFailed } from "../../contract/errors/errors.ts"
import { option } from "../../contract/errors/next-step.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import { parseReference } from "../../contract/text/image-reference.ts"
import { printable } from "../../contract/text/printable.ts"
import { THIS_HOST } from "../../lib/network/model/name.ts"
import { ofConnection, ruleOf, troubles } from "../registry/pull-failed.ts"
import { type Building, failed, type Refused } from "./files.ts"

/** Maximum hosts and images that an error names. */
const MOST_NAMED = 5

const few = (names: ReadonlyArray<string>) => [...new Set(names)].slice(0, MOST_NAMED)

/** Hosts that a step of a Dockerfile could not reach. */
const deniedHosts = (pyro: PyroService, workspace: string) =>
  Effect.map(
    troubles(pyro, workspace, []),
    (entries) => few(entries.flatMap((entry) => entry.outcome === "denied" ? ruleOf(entry) ?? [] : []))
  )

/** The error of a base image whose registry is away. The builder sees an answer of the host's cache of layers, such as 502. */
const registryAway = (
  pyro: PyroService,
  workspace: string,
  { detail, registries }: { readonly detail: string; readonly registries: ReadonlyArray<string> }
) =>
  Effect.map(troubles(pyro, workspace, []), (entries) => {
    const [, text = ""] = /docker:\/\/([^\s"]+?):? /.exec(detail) ?? []
    const image = parseReference(text.replace(THIS_HOST, "localhost"))?.name
    const last = entries.findLast(({ host, outcome, port }) =>
      outcome === "failed" && registries.includes(`${host}:${port}`)
    )
    return image === undefined || last?.reason === undefined
      ? undefined
      : new ImagePullFailed({ image, reason: ofConnection(last.reason), detail: last.reason })
  })

/** The error of a build that the builder refused. A base whose registry did not answer was not pulled. Any other refusal is a fault of the build. */
export const buildFailed = (
  pyro: PyroService,
  { reference, registries = [], unknownImages = [] }: Pick<Building, "reference" | "registries" | "unknownImages">
) =>
(workspace: string, { detail, image = "", kind }: Refused) =>
  Effect.gen(function*() {
    if (kind === "stalled") {
      return yield* new ImagePullFailed({ image: parseReference(image)?.name ?? reference, reason: kind, detail })
    }
    const away = kind === "dockerfile" ? yield* registryAway(pyro, workspace, { detail, registries }) : undefined
    if (away !== undefined) return yield* away
    if (kind !== "dockerfile" && kind !== "feature") return yield* failed(reference, kind, detail)
    const denied = yield* deniedHosts(pyro, workspace)
    const plain = failed(reference, kind, detail)
    return yield* failed(reference, kind, detail, [
      ...(denied.length === 0
        ? []
        : [option("The network denied hosts. Allow those that you trust", "allow_hosts", denied)]),
      ...(unknownImages.length === 0 ? [] : [
        option(
          `Only the build knows these images: ${printable(few(unknownImages).join(", "))}. Allow their registries`,
          "allow_hosts"
        )
      ]),
      ...plain.next
    ])
  })
