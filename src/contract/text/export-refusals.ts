/** The option that exports files which a diff leaves out. The page has no such option. */
export const EXPORT_LEFT_OUT = "export them with --include-ignored"
