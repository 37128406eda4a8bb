import { Effect, Stream } from "effect"
import type { PyroError } from "../contract/errors/errors.ts"
import { nextVm } from "../contract/rows/next-vm-fields.ts"
import { payloadOf } from "../contract/rows/payload-of.ts"
import { parseReference } from "../contract/text/image-reference.ts"
import type { Project } from "../sdk/project.ts"
import type { Request } from "./request.ts"
import { noticeText } from "./words.ts"

/** Whether the person who started the server lets a model have this image: `*` of a pattern is any text. */
const isAllowed = (name: string, { allowImages = [], environment }: Pick<Project, "allowImages" | "environment">) =>
  [...allowImages, ...environment === undefined ? [] : [environment]].some((pattern) =>
    pattern.includes("*")
      ? new RegExp(`^${pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&")).join(".*")}$`).test(
        name
      )
      : parseReference(pattern)?.name === name
  )

/**
 * Pulls the image that a model named as the environment of a new workspace or run, if this host does not have it and the person allows it.
 * Without the person's logins. Every other image stays unknown.
 */
export const pullAllowedImage = (
  { payload, project, pyro, report, told }: Pick<
    Request<never>,
    "payload" | "project" | "pyro" | "report" | "told"
  >
): Effect.Effect<void, PyroError> =>
  Effect.gen(function*() {
    const { environment, ...sizes } = payload as { readonly environment?: string } & Parameters<typeof nextVm>[0]
    const reference = environment === undefined ? undefined : parseReference(environment)
    if (reference === undefined || !isAllowed(reference.name, project)) return
    const { environments } = yield* pyro.env.list({})
    if (environments.some(({ name }) => name === reference.name)) return
    const asked = { ...payloadOf("env.pull", { environment: reference.name }), ...nextVm(sizes) }
    yield* Stream.runForEach(pyro.env.pull(asked), (event) =>
      Effect.sync(() => {
        if (event._tag === "Notice" && event.level !== "output") {
          report(noticeText({ ...event, message: told(event) }))
        }
      }))
  })
