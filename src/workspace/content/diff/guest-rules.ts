import { Effect } from "effect"
import type { PyroError } from "../../../contract/errors/errors.ts"
import type { GuestChannel } from "../../../guest-channel/GuestChannel.ts"
import { IgnoreRules } from "../../../ignore/ignore-rules.ts"
import type { Trees } from "../../life/baseline.ts"
import type { Candidate } from "./candidates.ts"
import { readContents } from "./contents.ts"

/** Bounds of ignore files that a guest made or changed. Rules beyond them are skipped, so they hide nothing. */
const MAX_FILES = 1_000
const MAX_FILE_BYTES = 64 * 1024
const MAX_TOTAL_BYTES = 256 * 1024
/** A quarter of the baseline's limit: half a second, in slices. */
const MAX_WORK = 50_000_000

const directoryOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf("/")))

/** Whether a path is that of an ignore file. */
const isIgnoreFile = (path: string) => path === ".gitignore" || path.endsWith("/.gitignore")

/**
 * The ignore rules of a live tree. `undefined` if its ignore files equal those of the baseline. `baseline` has the texts of the
 * baseline's ignore files, by directory.
 */
export const guestRules = (
  channel: GuestChannel,
  trees: Trees,
  found: ReadonlyArray<Candidate>,
  baseline: ReadonlyMap<string, string>,
  exclude: string | undefined
): Effect.Effect<IgnoreRules | undefined, PyroError> =>
  Effect.gen(function*() {
    const changed = found.filter(({ path }) => isIgnoreFile(path))
    const files = changed.flatMap(({ new: after, path }) =>
      after?.type === "file" && after.size > 0 && after.size <= MAX_FILE_BYTES ? [path] : []
    )
    if (files.length === 0) return undefined
    const depth = (path: string) => path.split("/").length
    const read = files.sort((one, other) => depth(one) - depth(other)).slice(0, MAX_FILES)
    const contents = yield* readContents(channel, trees.live, read, {
      fileBytes: MAX_FILE_BYTES,
      total: { left: MAX_TOTAL_BYTES },
      linksAreAbsent: true
    })
    const rules = new IgnoreRules(MAX_WORK)
    const isChanged = new Set(changed.map(({ path }) => directoryOf(path)))
    for (const [directory, text] of baseline) if (!isChanged.has(directory)) rules.add(directory, text)
    for (const [path, content] of contents) {
      if (typeof content === "object") rules.add(directoryOf(path), Buffer.from(content).toString("latin1"))
    }
    if (exclude !== undefined) rules.exclude(exclude)
    return rules
  })
