import { Effect } from "effect"
import * as path from "node:path"
import { writeFile } from "../../system/files/content.ts"
import { attempt } from "../../system/files/failure.ts"
import { publicUrl } from "../request.ts"
import { readBounded } from "../tree/host-files.ts"
import { git } from "./confined-git.ts"
import { parseSettings, type Submodule } from "./safe-config.ts"
import type { Scratch } from "./scratch.ts"

const mostBytes = 1024 * 1024

/** Names that git accepts for a submodule, and a configuration for a section. */
const isName = (name: string) =>
  name.length <= 200 && !/[\p{Cc}\ufffd]/u.test(name) && !name.split(/[/\\]/).includes("..")

/** Submodules at these paths, by their names in `.gitmodules`. */
export const submodulesAt = (scratch: Scratch, paths: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const { room, settings } = scratch
    const content = paths.length === 0
      ? undefined
      : yield* attempt("read", scratch.repository.workTree, () =>
        readBounded(path.join(scratch.repository.workTree, ".gitmodules"), mostBytes))
    if (content === undefined) {
      return []
    }
    const copy = path.join(room.gitDir, "modules")
    yield* writeFile(copy, content)
    const said = parseSettings(
      yield* git({ ...room, workTree: undefined, cwd: undefined }, [
        "config",
        "--file",
        copy,
        "--no-includes",
        "--list",
        "-z"
      ])
    )
    return [...said].flatMap(([key, value]): ReadonlyArray<Submodule> => {
      const name = /^submodule\.(.+)\.path$/s.exec(key)?.[1]
      if (name === undefined || !isName(name) || !paths.includes(value)) {
        return []
      }
      const url = settings.get(`submodule.${name}.url`) ?? said.get(`submodule.${name}.url`)
      return [{ name, url: url === undefined ? undefined : publicUrl(url) }]
    })
  }).pipe(
    // git in the guest cannot parse it either.
    Effect.catchTag("GitFailed", () =>
      Effect.succeed<ReadonlyArray<Submodule>>([]))
  )
