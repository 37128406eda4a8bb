import type { PageOptions } from "../parts/step-text.ts"

/** Label of the box that stands for `--overwrite`. */
export const REPLACE = "Replace the file if it exists"

/** What the review has in place of options of an export, and of other calls. */
export const OPTIONS: PageOptions = new Map([
  ["overwrite", `check "${REPLACE}"`],
  ["patch", "take the patch as a download"],
  ["workspace.diff", "press \"Compare again\""]
])
