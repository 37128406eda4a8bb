import { Effect } from "effect"
import * as path from "node:path"
import { HostToolMissing } from "../../contract/errors/errors.ts"
import { exists } from "../../system/files/entries.ts"
import { runTool, type ToolOptions } from "../../system/processes/child.ts"
import { asNamespaceRoot } from "../../system/processes/namespace.ts"
import { packageOf } from "../../system/processes/tool-packages.ts"
import { processEnvironment, settingNow } from "../../system/settings/config.ts"
import { recipeFolder } from "./recipe.ts"

/** Host tools for administrators may not be on an ordinary user's PATH. */
export const withSbin = (): NodeJS.ProcessEnv => ({
  ...processEnvironment(),
  PATH: `${settingNow("PATH")}:/usr/local/sbin:/usr/sbin:/sbin`
})

/** Fails with HostToolMissing unless the program exists. */
export const needTool = (tool: string): Effect.Effect<void, HostToolMissing> =>
  Effect.suspend(() => {
    const folders = (withSbin()["PATH"] ?? "").split(":")
    return folders.some((folder) => exists(path.join(folder, tool)))
      ? Effect.void
      : new HostToolMissing({ tool, package: packageOf(tool), detail: "environments are built with it" })
  })

/**
 * Runs a program as root of its own namespaces. The namespaces end, with all their processes, at the death of the process that
 * holds the lock on the file `alive`. See `rootfs/environment/supervise.sh`.
 */
export const runSupervised = (alive: string, command: readonly [string, ...Array<string>], options: ToolOptions = {}) =>
  Effect.gen(function*() {
    for (const tool of ["bash", "unshare", "flock", command[0]]) yield* needTool(tool)
    const supervise = path.join(recipeFolder("environment"), "supervise.sh")
    const [program, ...args] = asNamespaceRoot(["bash", supervise, alive, ...command])
    return yield* runTool(program, args, { env: withSbin(), ...options })
  })
