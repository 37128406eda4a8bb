import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import {
  copyFile,
  openFile,
  openFolder,
  openUnfollowed,
  readFile,
  readText,
  writeFile
} from "../../../../src/system/files/content.ts"
import {
  ensureFolder,
  linkFile,
  listFolder,
  listIfPresent,
  makeFolder,
  removeFile,
  renameFile,
  setMode,
  statEntry,
  statFile
} from "../../../../src/system/files/entries.ts"
import {
  attempt,
  attemptAsync,
  type FileFailed,
  isDiskFull,
  isMissing,
  toHostError,
  toHostErrorOf
} from "../../../../src/system/files/failure.ts"
import { temporaryDirectory } from "../../lib/disk/temporary-directory.ts"

/** An error as Node throws one for a system call. */
const systemError = (code: string) =>
  Object.assign(new Error(`${code}: as the kernel says it, write`), { code, syscall: "write" })

const failureOf = (code: string) =>
  Effect.flip(attempt("write", "/state/file", () => {
    throw systemError(code)
  }))

describe("an operation on a file", () => {
  it.live("a failed file operation has the operation, the path and the kernel's errno", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const at = (name: string) => path.join(folder, name)
      fs.writeFileSync(at("file"), "x")
      fs.mkdirSync(at("folder"))
      fs.symlinkSync("file", at("link"))
      fs.symlinkSync("loop", at("loop"))
      const cases: ReadonlyArray<readonly [Effect.Effect<unknown, FileFailed, never>, string, string]> = [
        [makeFolder(at("folder")), "mkdir", "EEXIST"],
        [makeFolder(at("none/folder")), "mkdir", "ENOENT"],
        [ensureFolder(at("file/folder")), "mkdir", "ENOTDIR"],
        [listFolder(at("none")), "scandir", "ENOENT"],
        [listIfPresent(at("file")), "scandir", "ENOTDIR"],
        [readFile(at("none")), "open", "ENOENT"],
        [readText(at("folder")), "read", "EISDIR"],
        [writeFile(at("folder"), "x"), "open", "EISDIR"],
        [copyFile(at("none"), at("copy")), "copyfile", "ENOENT"],
        [renameFile(at("file"), at("folder")), "rename", "EISDIR"],
        [linkFile(at("file"), at("link")), "link", "EEXIST"],
        [setMode(at("none"), 0o600), "chmod", "ENOENT"],
        [statFile(at("loop")), "stat", "ELOOP"],
        [statEntry(at("file/below")), "lstat", "ENOTDIR"],
        [Effect.scoped(openFolder(at("file"))), "open", "ENOTDIR"],
        [Effect.scoped(openUnfollowed(at("link"))), "open", "ELOOP"],
        [Effect.scoped(openFile(at("file"), "wx")), "open", "EEXIST"]
      ]
      for (const [work, operation, code] of cases) {
        const failure = yield* Effect.flip(work)
        assert.deepInclude(failure, { _tag: "FileFailed", operation, code })
        assert.include(failure.message, code)
        assert.isTrue(failure.path.startsWith(folder), failure.path)
      }
    }))

  it.live("removing a missing file succeeds", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      yield* removeFile(path.join(folder, "none"))
      assert.isUndefined(yield* statEntry(path.join(folder, "none")))
      assert.deepStrictEqual(yield* listIfPresent(path.join(folder, "none")), [])
    }))

  it.effect("an exception that is no system error stays a defect", () =>
    Effect.gen(function*() {
      const bug = new TypeError("a bug")
      const argument = Object.assign(new TypeError("The argument"), { code: "ERR_INVALID_ARG_TYPE" })
      for (const thrown of [bug, argument, "a text"]) {
        const exits = [
          yield* Effect.exit(attempt("write", "/x", () => {
            throw thrown
          })),
          yield* Effect.exit(attemptAsync("write", "/x", () => Promise.reject(thrown)))
        ]
        for (const exit of exits) {
          assert.deepStrictEqual(exit, Exit.failCause(Cause.die(thrown)))
        }
      }
    }))
})

describe("a full disk", () => {
  it.effect("a full disk and a used-up quota are distinguished from other failures", () =>
    Effect.gen(function*() {
      for (const code of ["ENOSPC", "EDQUOT"]) {
        const failure = yield* failureOf(code)
        assert.isTrue(isDiskFull(failure))
        assert.deepInclude(toHostError(failure), { code: "no_space", path: "/state/file" })
        assert.deepInclude(toHostErrorOf("/state")(failure), { code: "no_space", path: "/state" })
      }
      for (const code of ["EROFS", "EACCES", "EIO"]) {
        const failure = yield* failureOf(code)
        assert.isFalse(isDiskFull(failure))
        const told = toHostErrorOf("/state")(failure)
        assert.deepInclude(told, { code: "state_directory_unusable", path: "/state" })
        assert.include(told.message, code)
      }
      assert.isTrue(isMissing(yield* failureOf("ENOENT")))
      assert.isFalse(isMissing(yield* failureOf("EACCES")))
    }))
})
