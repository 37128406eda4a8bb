import { Effect } from "effect"
import * as path from "node:path"
import { option } from "../../../contract/errors/next-step.ts"
import { makeUniqueFolder } from "../../../system/files/entries.ts"
import { makeGitDirectory } from "../git/git-directory.ts"
import { GitFailed } from "../model/git-failed.ts"
import type { PlannedGit } from "./collect.ts"

/** Makes the planned repositories in folders of their own. */
export const makeGits = (gits: ReadonlyArray<PlannedGit>, folder: string) =>
  Effect.forEach(
    gits,
    ({ at, plan, scratch }) =>
      Effect.flatMap(makeUniqueFolder(path.join(folder, "git-")), (directory) =>
        Effect.as(makeGitDirectory(scratch, plan, directory), { at, directory }))
  ).pipe(
    Effect.mapError((failure) =>
      failure instanceof GitFailed
        ? new GitFailed({
          command: "",
          detail: failure.message,
          next: [option("Take the files without a history", "git", "none")]
        })
        : failure
    )
  )
