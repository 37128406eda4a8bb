import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"

/** A directory below another that is removed, with all in it, when the Scope closes. */
export const temporaryDirectoryIn = (parent: string) =>
  Effect.acquireRelease(
    Effect.sync(() => fs.realpathSync(fs.mkdtempSync(path.join(parent, "pyro-disk-")))),
    (directory) =>
      Effect.sync(() => {
        // A directory of mode 0 cannot be emptied by an ordinary user.
        execFileSync("chmod", ["-R", "u+rwX", directory])
        execFileSync("rm", ["-rf", directory])
      })
  )

export const temporaryDirectory = temporaryDirectoryIn(os.tmpdir())

/** A small file system in memory, for as long as the Scope lasts. Only root can have it. */
export const smallFileSystem = (sizeMib: number) =>
  Effect.flatMap(temporaryDirectory, (directory) => {
    const mounted = path.join(directory, "small")
    return Effect.acquireRelease(
      Effect.sync(() => {
        fs.mkdirSync(mounted)
        execFileSync("mount", ["-t", "tmpfs", "-o", `size=${sizeMib}m`, "pyro-test", mounted])
        return mounted
      }),
      () => Effect.sync(() => void execFileSync("umount", [mounted]))
    )
  })
