// Words of refused exports that the page replaces with its own: it has a box in place of an option, and a button to compare again.

/** What to do if an export meets an existing file or link, and nothing else. */
export const REPLACE_WITH_OPTION = "files and links are replaced with --overwrite"

/** Files of the directory are neither as the baseline nor as the workspace has them. Each of the ways out works in any directory. */
export const FILES_HAVE_CHANGED =
  "files have changed on the host, and a change would lose yours; leave them out with --exclude, or take yours into the workspace with " +
  "`pyro sync push NAME DIR --force`, or replace yours with --overwrite in place of --apply"

/** The workspace has changed since the diff that an export expects. */
export const DIFF_HAS_CHANGED = "the diff is not the expected one any more"

/** The option that exports files which a diff leaves out. The page has no such option. */
export const EXPORT_LEFT_OUT = "export them with --include-ignored"
