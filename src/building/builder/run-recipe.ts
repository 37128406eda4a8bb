import { Effect, Option, Schema, Stream } from "effect"
import { payloadOf } from "../../contract/rows/payload-of.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import type { Progress } from "../../lib/environment/Environments.ts"
import { BuilderMessage, IMAGE_COMMAND, imageInput, imageProgram } from "../../lib/environment/model/image-builder.ts"
import { troubleText } from "../../workspace/entry/standstill.ts"
import { ofOwnWorkspace } from "../model/own-workspace.ts"
import { STARTED } from "./acquire.ts"
import { type Building, failed, type Refused, secretName, SECRETS_FOLDER } from "./files.ts"

/** Share of the whole work that the program of rootfs/image does. */
const RECIPE = 0.6

/** Maximum length of one message, in characters. */
const MAX_MESSAGE = 4_194_304

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(BuilderMessage))

/** Request to the program of rootfs/image, and its last message. */
interface Recipe<Last extends BuilderMessage["_tag"]>
  extends Pick<Building, "onProgress" | "reference" | "refused" | "secrets">
{
  readonly request: unknown
  readonly last: Last
}

/** Runs the program of rootfs/image in the builder, and returns its last message. */
export const runRecipe = <Last extends BuilderMessage["_tag"]>(
  pyro: PyroService,
  workspace: string,
  { last, onProgress, reference, refused: errorOf, request, secrets = {} }: Recipe<Last>
) =>
  Effect.gen(function*() {
    const payload = payloadOf("workspace.exec", {
      workspace,
      command: IMAGE_COMMAND,
      secretMount: Object.keys(secrets).map((id, at) => `${secretName(at)}=${SECRETS_FOLDER}/${id}`)
    })
    let rest = ""
    let stderr = ""
    let progress: Progress = { step: "", fraction: STARTED }
    let made: Extract<BuilderMessage, { readonly _tag: Last }> | undefined
    let refused: Refused | undefined
    const take = (line: string) => {
      const message = Option.getOrUndefined(decode(line))
      if (message === undefined) return failed(reference, "image", "its builder said what pyro does not understand")
      if (message._tag === "Refused") refused = message
      else if (message._tag === last) made = message as typeof made
      else if (message._tag === "Progress") {
        const fraction = STARTED + RECIPE * Math.min(Math.max(message.fraction, 0), 1)
        // A stage of a Dockerfile may begin with fewer steps done than the one before had.
        progress = { step: message.step, fraction: Math.max(progress.fraction, fraction) }
        onProgress(progress)
      } else if (message._tag === "Output") onProgress({ ...progress, line: message.line })
      return Effect.void
    }
    const lines = (bytes: Uint8Array) =>
      Effect.suspend(() => {
        const parts = (rest + Buffer.from(bytes).toString("utf8")).split("\n")
        rest = parts.pop() ?? ""
        return rest.length > MAX_MESSAGE
          ? failed(reference, "image", "its builder said too much")
          : Effect.forEach(parts, take, { discard: true })
      })
    const input = imageInput(yield* imageProgram, request)
    yield* ofOwnWorkspace(pyro.workspace.exec(payload, { stdin: Stream.make(input) })).pipe(
      Stream.runForEach((event) => {
        if (event._tag !== "Output") {
          // A guest waits for room, and its caller would wait for it.
          return event._tag === "Notice" && event.message === troubleText("no-space")
            ? failed(reference, "full", "the disk of this host is full")
            : Effect.void
        }
        if (event.from === "stdout") return lines(event.bytes)
        return Effect.sync(() => {
          stderr = (stderr + Buffer.from(event.bytes).toString("utf8")).slice(-1000)
        })
      })
    )
    if (refused !== undefined) {
      return yield* errorOf?.(workspace, refused) ?? failed(reference, refused.kind, refused.detail)
    }
    return made ?? (yield* failed(reference, "image", `its builder ended without a result: ${stderr.trim()}`))
  })
