import { KEEP_WORDS } from "./workspace-try-fields.ts"

/** A text as a candidate may be called. */
const called = (text: string, mostCharacters: number): string =>
  text.replaceAll(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "").slice(0, mostCharacters)

/** Endings of files that are patches. */
export const PATCH_FILE = /\.(patch|diff)$/

/** Ending of files that are scripts. */
export const SCRIPT_FILE = /\.sh$/

/** The name of a candidate in a file: the file's without its suffix. */
export const nameOfFile = (file: string): string =>
  called(file.slice(file.lastIndexOf("/") + 1).replace(PATCH_FILE, "").replace(SCRIPT_FILE, ""), 63) || "candidate"

/** Longest name that is made of a command: a table has a column of them. */
const COMMAND_CHARACTERS = 24

/** The name that the words of a command give it. Empty if they give none. */
export const nameOfCommand = (command: string): string =>
  called(command, COMMAND_CHARACTERS).replace(/[^A-Za-z0-9]+$/, "")

/** Whether a generated name of a candidate is free: no other candidate has the name, and it has no other meaning in `keep`. */
export const isFreeName = (name: string, all: ReadonlyArray<unknown>): boolean =>
  name !== "" && all.filter((other) => other === name).length === 1 && KEEP_WORDS.every((word) => word !== name)
