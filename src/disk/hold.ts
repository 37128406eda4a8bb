import { Effect } from "effect"
import * as path from "node:path"
import { type HostToolMissing, ImageDamaged, NoSpace, StateDirectoryUnusable } from "../contract/errors/errors.ts"
import { exists, linkFile } from "../system/files/entries.ts"
import { attempt, isDiskFull } from "../system/files/failure.ts"
import { toHostErrorOf } from "../system/files/host-error.ts"
import { bytesOnDisk } from "../system/files/usage.ts"
import { runTool } from "../system/processes/child.ts"
import { freeBytes } from "../system/processes/host.ts"
import { nativeTool } from "../system/processes/native.ts"

/** Another file system, too many links, or a file system or a rule of the kernel that has none. */
const cannotLink: ReadonlyArray<string | undefined> = ["EXDEV", "EMLINK", "EPERM", "EOPNOTSUPP"]

/** Exit status of pyro-copy for a full file system (native/copy/copy.c). */
const copyFull = 3

/**
 * Gives an image of the cache a second name in its holder's folder, so that the image outlives its eviction. The name is a hard
 * link, or else a copy that shares blocks or omits holes. The name must be free. Fails with ImageDamaged if the image was evicted
 * meanwhile: request the image again.
 */
export const holdImage = (
  image: string,
  held: string
): Effect.Effect<void, NoSpace | HostToolMissing | StateDirectoryUnusable | ImageDamaged> =>
  Effect.catch(
    linkFile(image, held),
    (failure): Effect.Effect<void, NoSpace | HostToolMissing | StateDirectoryUnusable | ImageDamaged> => {
      if (!exists(image)) return new ImageDamaged({ path: image, detail: "it is gone" })
      if (isDiskFull(failure)) return Effect.fail(toHostErrorOf(path.dirname(held))(failure))
      return cannotLink.includes(failure.code) ? copyImage(image, held) : unusable(held, failure.detail)
    }
  )

const mib = 1024 * 1024

const copyImage = (image: string, held: string) =>
  Effect.gen(function*() {
    const tool = yield* nativeTool("pyro-copy")
    const { code, stderr } = yield* runTool(tool, ["--mode", "0444", image, held], { okCodes: [0, 1, 2, copyFull] })
    if (code === copyFull) return yield* full(image, held)
    if (code !== 0) return yield* unusable(held, stderr.trim())
  }).pipe(Effect.catchTag("ToolFailed", (cause) => unusable(held, cause.message)))

const unusable = (held: string, detail: string) =>
  Effect.fail(new StateDirectoryUnusable({ path: path.dirname(held), detail: `cannot hold an image there: ${detail}` }))

const full = (image: string, held: string) =>
  attempt("statfs", held, () => freeBytes(path.dirname(held))).pipe(
    Effect.orElseSucceed(() => 0),
    Effect.flatMap((available) =>
      new NoSpace({
        where: "state directory",
        path: path.dirname(held),
        neededMib: Math.ceil(bytesOnDisk(image) / mib),
        availableMib: Math.floor(available / mib)
      })
    )
  )
