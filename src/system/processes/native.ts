import { Effect } from "effect"
import { existsSync } from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { HostToolMissing } from "../../contract/errors/errors.ts"
import { command } from "../../contract/errors/next-step.ts"
import { settingNow } from "../settings/config.ts"

/** Programs that the project builds: `agent` from `guest-agent/`, the others from `native/`. `agent` and `pyro-ssh` run in guests. */
type NativeTool =
  | "agent"
  | "pyro-seed"
  | "pyro-copy"
  | "pyro-tsc"
  | "pyro-put"
  | "pyro-apply"
  | "pyro-pinned"
  | "pyro-port"
  | "pyro-console"
  | "pyro-pending"
  | "pyro-relay"
  | "pyro-erofs"
  | "pyro-ssh"

/** Root of the package: the nearest folder above this file that has a `guest-agent`. */
export const packageRoot: () => string = (() => {
  let known: string | undefined
  return () => {
    if (known !== undefined) return known
    let folder = path.dirname(fileURLToPath(import.meta.url))
    while (!existsSync(path.join(folder, "guest-agent")) && path.dirname(folder) !== folder) {
      folder = path.dirname(folder)
    }
    return known = folder
  }
})()

/** Directory of the host's native tools. `PYRO_NATIVE_DIR` replaces it, and then holds the guest agent too. */
export const nativeDirectory = () => settingNow("PYRO_NATIVE_DIR") ?? path.join(packageRoot(), "native", "build")

const directoryOf = (name: NativeTool) =>
  name === "agent" && settingNow("PYRO_NATIVE_DIR") === undefined
    ? path.join(packageRoot(), "guest-agent", "build")
    : nativeDirectory()

/** Path of a native tool; fails when the project was not built. */
export const nativeTool = (name: NativeTool): Effect.Effect<string, HostToolMissing> =>
  Effect.suspend(() => {
    const file = path.join(directoryOf(name), name)
    return existsSync(file)
      ? Effect.succeed(file)
      : new HostToolMissing({
        tool: name,
        package: "pyro itself",
        detail: "it is not built yet",
        next: [command("Build it", "npm start")]
      })
  })
