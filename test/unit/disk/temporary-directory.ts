import { Effect } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"

/** A directory that is removed, with all in it, when the Scope closes. */
export const temporaryDirectory = Effect.acquireRelease(
  Effect.sync(() => fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "pyro-disk-")))),
  (directory) =>
    Effect.sync(() => {
      for (const entry of fs.readdirSync(directory, { recursive: true, withFileTypes: true })) {
        // A directory of mode 0 cannot be emptied by an ordinary user.
        if (entry.isDirectory()) fs.chmodSync(path.join(entry.parentPath, entry.name), 0o700)
      }
      fs.rmSync(directory, { recursive: true, force: true })
    })
)
