import { Effect, Option } from "effect"
import { type NextStep, option, words } from "../../../contract/errors/next-step.ts"
import { notice } from "../../../contract/rows/notice.ts"
import { count } from "../../../contract/text/count.ts"
import { ignoredFilesNote, lossNotes, sizeText } from "../../../contract/text/host-file-notes.ts"
import type { SeedReport } from "../../../lib/disk/SeedImages.ts"
import type { OciOrigin } from "../../../lib/environment/model/catalogue.ts"
import type { PreparedSeed } from "../../../lib/seeding/model/request.ts"
import type { Notify } from "../../entry/context.ts"
import type { Entry } from "../../entry/entry.ts"
import { portsOfImage } from "./image-defaults.ts"

/** A larger copy of a directory without git is reported: the directory may have `node_modules` and the like. */
const quietFiles = 1000
const quietBytes = 64 * 1024 * 1024

/** Maximum number of skipped paths in a warning. The others are counted. */
const namedSkips = 20

/** Warns of files of the host that a seed lacks, and of properties that the copies lack. */
const reportSkipped = (
  { losses, skipped, skippedCount }: Pick<SeedReport, "losses" | "skipped" | "skippedCount">,
  notify: Notify
) => {
  const warn = (message: string) => notify(notice("warning", message))
  for (const { path, reason } of skipped.slice(0, namedSkips)) warn(`left out of /workspace: ${path} (${reason})`)
  const more = skippedCount - Math.min(namedSkips, skipped.length)
  if (more > 0) warn(`left out of /workspace: ${more} more`)
  for (const note of lossNotes(losses)) warn(note)
}

/** Reports differences between the files of a seed and the host's. */
export const reportSeed = (report: PreparedSeed["report"], notify: Notify) => {
  reportSkipped(report, notify)
  for (const message of report.notes ?? []) notify(notice("warning", message))
  reportFiltered(report.filtered, notify)
  reportIgnored(report.left, notify)
  reportWhole(report, notify)
}

/** Files of an attribute rule, in a warning. */
const namedMost = 3

/** Text for people about the filters of a seed. */
const filterNote = ({ filter, paths }: { readonly filter: string; readonly paths: ReadonlyArray<string> }) => {
  const more = paths.length - namedMost
  const names = `${paths.slice(0, namedMost).join(", ")}${more > 0 ? ` and ${more} more` : ""}`
  return `git's filter ${filter} applies to ${names}: git in the workspace leaves these files alone`
}

/** Names the filters of git that the guest may lack, and their files. */
const reportFiltered = (filtered: PreparedSeed["report"]["filtered"] = [], notify: Notify) => {
  for (const each of filtered) {
    notify(notice("warning", filterNote(each), [words("See how commits keep them", "docs/commits.md")]))
  }
}

/** Says how many ignored files stay on the host. */
const reportIgnored = (left: ReadonlyArray<string> = [], notify: Notify) => {
  const message = ignoredFilesNote(left.length, left)
  if (message === undefined) return
  const copy = option("Copy them too", "include_ignored", ["GLOB"])
  notify({ ...notice("warning", message, [copy]), ignoredCount: left.length })
}

/** Says that no rules of git chose the files of a large copy. */
const reportWhole = ({ bytes, files, whole }: PreparedSeed["report"], notify: Notify) => {
  if (whole === undefined || (files <= quietFiles && bytes <= quietBytes)) return
  const message = `${whole}, so pyro copied all its files (${count(files, "file")}, ${sizeText(bytes)}). ` +
    "In a git repository, ignored files such as node_modules stay on the host"
  notify(notice("warning", message))
}

/** Names the ports that the image's programs listen on, and how one publishes them. */
export const reportPorts = (oci: OciOrigin | undefined, how: ReadonlyArray<NextStep>, notify: Notify) => {
  const ports = portsOfImage(oci)
  if (ports === undefined) return
  notify(notice("hint", `the image's programs listen on the ports ${ports}`, how))
}

/** Reports the residents that changed to the caller that made a workspace's new VM. */
export const reportWarnings = (entry: Entry, notify: Notify) =>
  Effect.flatMap(
    entry.residents.now,
    Option.match({
      onNone: () => Effect.void,
      onSome: ({ takeWarnings }) =>
        Effect.map(takeWarnings, (warnings) => {
          for (const message of warnings) notify(notice("warning", message))
        })
    })
  )
