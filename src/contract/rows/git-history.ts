import { Schema } from "effect"

/** How much of a repository's history goes along with its files. */
export type GitHistory = "shallow" | "full" | "none"

export const GitHistory = (description: string) =>
  Schema.Literals(["shallow", "full", "none"]).annotate({ description })

export const gitHistoryText =
  "History of the repository to copy. `shallow`: the last commit. `full`: all commits. `none`: no .git"
