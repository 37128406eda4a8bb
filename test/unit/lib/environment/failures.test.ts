import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit } from "effect"
import { EnvironmentBuildFailed, EnvironmentUnknown, NoSpace } from "../../../../src/contract/errors/errors.ts"
import { mapBuildFailure } from "../../../../src/lib/environment/model/failures.ts"
import { FileFailed } from "../../../../src/system/files/failure.ts"
import { ToolFailed } from "../../../../src/system/processes/child.ts"

const context = { environment: "debian:12", step: "bootstrap", folder: "/tmp", neededMib: 500 }
const tool = (stderr: string) => new ToolFailed({ tool: "unshare", code: 1, signal: undefined, stderr })
const say = (log: string, stderr = "") =>
  Effect.flip(mapBuildFailure({ ...context, log: () => log })(Effect.fail(tool(stderr))))

describe("a failed build", () => {
  it.effect("a failed build reports apt's own errors and not later ones", () =>
    Effect.gen(function*() {
      const error = yield* say([
        "I: running apt-get update...",
        "Err:1 http://mirror.test/debian bookworm InRelease",
        "  Could not resolve 'mirror.test'",
        "E: Failed to fetch http://mirror.test/debian/dists/bookworm/InRelease  Could not resolve 'mirror.test'",
        "E: Some index files failed to download.",
        "E: apt-get update --error-on=any -oAPT::Status-Fd=<$fd> failed",
        "I: main() received signal PIPE: waiting for setup...",
        "E: mmdebstrap failed to run"
      ].join("\n"))
      assert.instanceOf(error, EnvironmentBuildFailed)
      assert.match(error.message, /^environment debian:12 was not built \(.*bootstrap/)
      assert.include(error.message, "Could not resolve 'mirror.test'")
      assert.notInclude(error.message, "failed to run")
      assert.notInclude(error.message, "Status-Fd")
    }))

  it.effect("a failed build on a full disk is NoSpace, whichever program reports the full disk", () =>
    Effect.gen(function*() {
      assert.instanceOf(yield* say("mkfs.erofs: failed to write: No space left on device\n"), NoSpace)
      assert.instanceOf(yield* say("", "tar: x: Cannot write: No space left on device"), NoSpace)
      for (const code of ["ENOSPC", "EDQUOT"]) {
        const file = new FileFailed({ operation: "write", path: "/tmp/x", code, detail: "the disk said no" })
        assert.instanceOf(yield* Effect.flip(mapBuildFailure(context)(Effect.fail(file))), NoSpace)
      }
    }))

  it.effect("a failed build reports the host's refusal, and a defect stays a defect", () =>
    Effect.gen(function*() {
      const detail = "EROFS: read-only file system, open"
      const readOnly = new FileFailed({ operation: "open", path: "/tmp/x", code: "EROFS", detail })
      const refused = yield* Effect.flip(mapBuildFailure(context)(Effect.fail(readOnly)))
      assert.instanceOf(refused, EnvironmentBuildFailed)
      assert.include(refused.message, "read-only file system")
      const exit = yield* Effect.exit(mapBuildFailure(context)(Effect.die(new TypeError("a bug"))))
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
    }))

  it.effect("a failed build for a user without subordinate ids says how to get them", () =>
    Effect.gen(function*() {
      const error = yield* say("", "unshare: failed to find subuid for user someone\n")
      assert.include(error.message, "usermod --add-subuids")
    }))

  it.effect("a failed build passes on an error of the contract", () =>
    Effect.gen(function*() {
      const unknown = new EnvironmentUnknown({ environment: "x", known: [], similar: [] })
      assert.strictEqual(yield* Effect.flip(mapBuildFailure(context)(Effect.fail(unknown))), unknown)
    }))
})
