import { Effect } from "effect"
import { type Losses, withLoss } from "../../contract/text/host-file-notes.ts"
import { pathText } from "../../contract/text/path-text.ts"
import { attributesLost } from "../../disk/SeedImages.ts"
import type { HostFile } from "./host-tree.ts"

/** Properties that the copies of host files lack. The push is done, so a failed look at attributes only leaves them out. */
export const lossesOf = (root: string, files: ReadonlyArray<HostFile>) => {
  let losses: Losses = {}
  for (const { hasSetId, path } of files) if (hasSetId === true) losses = withLoss(losses, "setIds", pathText(path))
  const list = Buffer.concat(
    files.filter(({ mode }) => mode !== 0o120000).flatMap(({ path }) => [path, Buffer.alloc(1)])
  )
  return list.length === 0
    ? Effect.succeed(losses)
    : attributesLost(root, list).pipe(
      Effect.map((found) => ({ ...losses, ...found })),
      Effect.orElseSucceed(() => losses)
    )
}
