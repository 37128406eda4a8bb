// Words of refused exports that the page replaces with its own: it has a box in place of an option, and a button to compare again.

/** What to do if an export meets an existing file or link, and nothing else. */
export const REPLACE_WITH_OPTION = "files and links are replaced with --overwrite"

/** Files of the directory are neither as they were seeded nor as the workspace has them. */
export const FILES_HAVE_CHANGED =
  "files are not as the workspace was seeded with them, so that a change would lose yours; commit your changes, export the diff with --patch, " +
  "and merge it with `git apply --3way`"

/** The workspace has changed since the diff that an export expects. */
export const DIFF_HAS_CHANGED = "the diff is not the expected one any more"
