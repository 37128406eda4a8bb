// Words of refused exports that the page replaces with its own: it has a box in place of an option, and a button to compare again.

/** What to do if an export meets an existing file or link, and nothing else. */
export const REPLACE_WITH_OPTION = "files and links are replaced with --overwrite"

/** The workspace has changed since the diff that an export expects. */
export const DIFF_HAS_CHANGED = "the diff is not the expected one any more"
