import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { type HostToolMissing, ImageDamaged, NoSpace, StateDirectoryUnusable } from "../contract/errors.ts"
import { runTool } from "../system/child.ts"
import { nativeTool } from "../system/native.ts"

/** Another file system, too many links, or a file system or a rule of the kernel that has none. */
const cannotLink: ReadonlyArray<string | undefined> = ["EXDEV", "EMLINK", "EPERM", "EOPNOTSUPP"]

/** Exit status of pyro-copy for a full file system (native/copy/copy.c). */
const copyFull = 3

/**
 * Gives an image of the cache a second name in a folder of its holder, so that it outlives its eviction: a hard link, or
 * where there can be none a copy that shares its blocks or leaves holes out. The name must be free. ImageDamaged says that the
 * image was evicted meanwhile: ask for it again.
 */
export const holdImage = (
  image: string,
  held: string
): Effect.Effect<void, NoSpace | HostToolMissing | StateDirectoryUnusable | ImageDamaged> =>
  Effect.suspend((): Effect.Effect<void, NoSpace | HostToolMissing | StateDirectoryUnusable | ImageDamaged> => {
    try {
      fs.linkSync(image, held)
      return Effect.void
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException
      if (!fs.existsSync(image)) return Effect.fail(new ImageDamaged({ path: image, detail: "it is gone" }))
      return cannotLink.includes(code) ? copyImage(image, held) : unusable(held, message)
    }
  })

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
  Effect.suspend(() => {
    const mib = 1024 * 1024
    const { bavail, bsize } = fs.statfsSync(path.dirname(held))
    return new NoSpace({
      where: "state directory",
      path: path.dirname(held),
      neededMib: Math.ceil(fs.statSync(image).blocks * 512 / mib),
      availableMib: Math.floor(bavail * bsize / mib)
    })
  })
