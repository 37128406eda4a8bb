import { Data } from "effect"

/** git failed, or was not run: then `command` is empty. Callers add their task. */
export class GitFailed extends Data.TaggedError("GitFailed")<{ readonly command: string; readonly detail: string }> {
  override get message() {
    return this.command === "" ? this.detail : `git ${this.command}: ${this.detail}`
  }
}
