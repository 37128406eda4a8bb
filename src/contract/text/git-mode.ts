/** Modes that git gives to files, links and submodules. */
export const GIT_FILE = 0o100644
export const GIT_EXECUTABLE = 0o100755
/** A symbolic link, whose content is its target. */
export const GIT_LINK = 0o120000
export const GIT_SUBMODULE = 0o160000

/** A mode as git writes it. */
export const GIT_MODE_TEXT = { [GIT_FILE]: "100644", [GIT_EXECUTABLE]: "100755", [GIT_LINK]: "120000" } as const

/** Mode of a file or a symbolic link. */
export type GitMode = typeof GIT_FILE | typeof GIT_EXECUTABLE | typeof GIT_LINK
