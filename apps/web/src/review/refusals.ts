import {
  DIFF_HAS_CHANGED,
  EXPORT_LEFT_OUT,
  FILES_HAVE_CHANGED,
  REPLACE_WITH_OPTION
} from "../../../../src/contract/text/export-refusals.ts"

/** Label of the box that stands for `--overwrite`. */
export const REPLACE = "Replace the file if it exists"

/** The refusal with the workspace's name, which the daemon puts in. */
const filesHaveChanged = new RegExp(
  FILES_HAVE_CHANGED.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace("NAME", "(\\S+)")
)

const withCapital = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1)

/** A refused export in the page's words: the page has neither options nor whole digests. */
export const inPageWords = (message: string) =>
  message.startsWith(`nothing was exported: ${DIFF_HAS_CHANGED}`)
    ? "Nothing was exported: the workspace has changed since this comparison. Compare again, and look at the new diff."
    : withCapital(message)
      .replace(REPLACE_WITH_OPTION, `to replace it, check "${REPLACE}"`)
      .replace(
        filesHaveChanged,
        (_, workspace: string) =>
          `files have changed in the project, and a change would lose yours. Take yours into the workspace with \`pyro sync push ${workspace} DIR --force\` in a terminal, or merge the downloaded patch`
      )

/** A note of an export without the option, which the page lacks. */
export const noteInPageWords = (note: string) => {
  const [said = ""] = note.split(EXPORT_LEFT_OUT)
  return withCapital(said.replace(/; (name one, or )?$/, ""))
}
