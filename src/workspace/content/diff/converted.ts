import { Effect } from "effect"
import { GIT_LINK } from "../../../contract/text/git-mode.ts"
import { forEachPiece } from "../../../lib/patch/format.ts"
import type { Change } from "../../../lib/patch/model/patch.ts"
import { yieldToEventLoop } from "../../../system/waits/effects.ts"
import { attributesFor, filesWith, type Sets, settingOf } from "../attributes.ts"
import { readBaseline, type Sources } from "./candidates.ts"

/** Number of files to look at in one turn of the event loop. */
const FILES_PER_TURN = 1_000

/** An attribute by which git changes contents between the work tree and its objects. */
interface Conversion {
  readonly sets: Sets
  /** Whether git would refuse the patch of a change. */
  readonly breaks: (change: Change) => Effect.Effect<boolean>
}

/** A line of a patch that git looks for in the file. */
const expandedIdent = /^[ -].*\$Id:[^\n$]*\$/m

const hasIdent = (change: Change) =>
  Effect.gen(function*() {
    if (change.before === undefined || !Buffer.from(change.before.content).includes("$Id:")) return false
    const pieces: Array<Uint8Array> = []
    yield* forEachPiece([change], (piece) => void pieces.push(piece))
    return expandedIdent.test(Buffer.concat(pieces).toString("latin1"))
  })

const conversions: ReadonlyArray<Conversion> = [
  {
    sets: (word) => word === "ident" ? true : word === "-ident" || word === "!ident" ? false : undefined,
    breaks: hasIdent
  },
  {
    sets: settingOf("working-tree-encoding", (value) => /^utf-?8$/i.test(value)),
    breaks: () => Effect.succeed(true)
  },
  { sets: settingOf("filter", (value) => value === ""), breaks: ({ before }) => Effect.succeed(before !== undefined) }
]

const words = /ident|working-tree-encoding|filter/

/**
 * The files of a diff that git converts by its attributes `ident`, `working-tree-encoding` or `filter`: a patch has their bytes of the work
 * tree, and `git apply` compares with those of its objects, so it refuses the patch. The attributes are those of the baseline and of the repository around it.
 */
export const convertedPaths = (
  sources: Sources,
  changes: ReadonlyArray<Change>
) =>
  Effect.gen(function*() {
    const files = changes.flatMap((change) => {
      const isLink = change.before?.mode === GIT_LINK || change.after?.mode === GIT_LINK
      return isLink ? [] : [{ change, path: Buffer.from(change.from ?? change.path).toString("latin1") }]
    })
    if (files.length === 0) return []
    const attributes = yield* attributesFor(files.map(({ path }) => path), {
      read: readBaseline(sources),
      rules: sources.pushed.rules,
      words
    })
    if (attributes === undefined) return []
    const converted = new Set<Change>()
    for (const conversion of conversions) {
      const isSet = filesWith(attributes, conversion.sets)
      for (const [index, { change, path }] of files.entries()) {
        if (index % FILES_PER_TURN === 0) yield* yieldToEventLoop
        const set = isSet(path)
        if (set === "too many rules") break
        if (set && (yield* conversion.breaks(change))) converted.add(change)
      }
    }
    return changes.filter((change) => converted.has(change)).map(({ path }) => path)
  })
