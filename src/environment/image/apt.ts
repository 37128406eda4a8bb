import { Effect } from "effect"
import * as path from "node:path"
import { writeFile } from "../../system/files/content.ts"
import { ensureFolder, listFolder } from "../../system/files/folders.ts"
import type { Temporary } from "../../system/files/temporary.ts"
import { hostFetchSettings } from "../debian-sources.ts"
import { runSupervised, withSbin } from "./host-tools.ts"

/**
 * apt with a state of its own in a working folder. It knows the given sources and no installed package, and verifies signatures as
 * usual. It needs no root, runs no hooks of the host, and leaves the host's lists and cache alone.
 */
export const privateApt = (options: Temporary & { readonly sources: ReadonlyArray<string> }) =>
  Effect.gen(function*() {
    const folder = options.path
    yield* ensureFolder(path.join(folder, "lists", "partial"))
    yield* ensureFolder(path.join(folder, "archives", "partial"))
    yield* writeFile(path.join(folder, "status"), "")
    yield* writeFile(path.join(folder, "sources.list"), options.sources.join("\n") + "\n")
    const settings = yield* hostFetchSettings
    const config = path.join(folder, "apt.conf")
    const nowhere = ["parts", "main", "sourceparts", "preferences", "preferencesparts"]
    yield* writeFile(
      config,
      [
        ...settings,
        `Dir::State "${folder}";`,
        `Dir::State::status "${folder}/status";`,
        `Dir::State::lists "${folder}/lists";`,
        `Dir::Cache "${folder}";`,
        `Dir::Cache::archives "${folder}/archives";`,
        `Dir::Etc::sourcelist "${folder}/sources.list";`,
        ...nowhere.map((item) => `Dir::Etc::${item} "/dev/null";`),
        `Acquire::Languages "none";`,
        // The folder is private to this user, so apt's download user cannot write into it.
        `APT::Sandbox::User "";`,
        `APT::Architecture "amd64";`,
        `APT::Architectures "amd64";`,
        ""
      ].join("\n")
    )
    const env = { ...withSbin(), APT_CONFIG: config, LC_ALL: "C.UTF-8" }
    const run = (tool: string, args: ReadonlyArray<string>) =>
      runSupervised(options.alive, [tool, ...args], { env, cwd: folder })
    return {
      update: run("apt-get", ["update", "--quiet", "--error-on=any"]),
      /** Name of the first package that another one depends on. */
      dependencyOf: (name: string) =>
        Effect.map(run("apt-cache", ["depends", "--important", name]), ({ stdout }) =>
          /^ +Depends: (\S+)/m.exec(stdout.toString("utf8"))?.[1]),
      /** Downloads one package into `folder` and gives its file name. */
      download: (name: string) =>
        Effect.map(
          Effect.andThen(run("apt-get", ["download", "--quiet", name]), listFolder(folder)),
          (names) =>
            names.find((file) => file.endsWith(".deb"))
        )
    }
  })
