import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { named } from "../../../../src/contract/text/names.ts"
import { gitDeadlines } from "../../../../src/lib/seeding/git/confined-git.ts"
import { until } from "../../../support/until.ts"
import { temporaryDirectory } from "../disk/temporary-directory.ts"
import { commit, repository, seeded, write } from "./support.ts"

const prepared = Effect.map(temporaryDirectory, (folder) => {
  const tree = repository(folder)
  write(tree, { "file.txt": "one\n", "sub/other.txt": "1\n" })
  commit(tree, "first")
  return tree
})

const fifo = (tree: string, name: string) => {
  const at = path.join(tree, name)
  fs.rmSync(at, { force: true })
  execFileSync("mkfifo", [at])
}

/** Why a tree is not taken. */
const refusal = (tree: string, namespaces: boolean) =>
  Effect.map(Effect.flip(seeded({ seedPath: tree }, { namespaces })), ({ message }) => message)

const objectOf = (tree: string) => {
  const id = execFileSync("git", ["-C", tree, "-c", "safe.directory=*", "rev-parse", "HEAD^{tree}"], {
    encoding: "utf8"
  }).trim()
  return `.git/objects/${id.slice(0, 2)}/${id.slice(2)}`
}

/** Processes that have a folder among their arguments, or are in it. */
const processesOn = (folder: string) =>
  fs.readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && (
        fs.readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(folder) ||
        fs.readlinkSync(`/proc/${pid}/cwd`) === folder
      )
    } catch {
      return false
    }
  })

/** Each file is compared with each pattern, from its beginning to its end. */
const slow = named([
  [".gitignore", Array.from({ length: 20_000 }, (_, at) => `${"*a".repeat(60)}*${at}`).join("\n")] as const,
  ...Array.from({ length: 2_000 }, (_, at) => [`${"a".repeat(200)}${at}-`, ""] as const)
])

describe.each([["with namespaces", true], ["without namespaces", false]])("a seed %s", (_, namespaces) => {
  it.live.each([".gitignore", "sub/.gitignore", ".gitattributes", "sub/.gitattributes"])(
    "a seed whose %s is a FIFO is refused",
    (name) =>
      Effect.gen(function*() {
        const tree = yield* prepared
        // Looked at anew, so that attributes matter.
        fs.utimesSync(path.join(tree, "file.txt"), 1, 1)
        fs.utimesSync(path.join(tree, "sub/other.txt"), 1, 1)
        fifo(tree, name)
        assert.include(yield* refusal(tree, namespaces), `${name} is neither a file nor a directory`)
      })
  )

  it.live("a seed whose list of alternates is a FIFO is refused", () =>
    Effect.gen(function*() {
      const tree = yield* prepared
      fifo(tree, ".git/objects/info/alternates")
      assert.include(yield* refusal(tree, namespaces), "objects/info/alternates is not a regular file")
    }))

  it.live("a seed with a FIFO among its objects is refused", () =>
    Effect.gen(function*() {
      const tree = yield* prepared
      const object = objectOf(tree)
      fifo(tree, object)
      assert.include(yield* refusal(tree, namespaces), `${object} is neither a file nor a directory`)
    }))

  it.live.each(["HEAD", "config", "packed-refs", "index", "info/exclude", "shallow", "commondir"])(
    "a seed whose .git/%s is a FIFO comes to an end",
    (name) =>
      Effect.gen(function*() {
        const tree = yield* prepared
        fifo(tree, `.git/${name}`)
        yield* Effect.result(seeded({ seedPath: tree }, { namespaces }))
      })
  )

  it.live("a seed whose ignore rules take too long is refused at the deadline", () =>
    Effect.gen(function*() {
      const tree = yield* prepared
      write(tree, slow)
      const message = yield* Effect.provideService(refusal(tree, namespaces), gitDeadlines, {
        ...(yield* gitDeadlines),
        short: 2_000
      })
      assert.include(message, "git ls-files: it took longer than 2 s")
      yield* untilGone(tree)
    }))

  it.live("a cancelled seed leaves no process", () =>
    Effect.gen(function*() {
      const tree = yield* prepared
      write(tree, slow)
      const seeding = yield* Effect.forkChild(seeded({ seedPath: tree }, { namespaces }))
      yield* until(() => processesOn(tree).some((pid) => isLsFiles(pid)))
      yield* Fiber.interrupt(seeding)
      yield* untilGone(tree)
    }))
})

/** Until the last process has gone: the kernel ends those of a namespace right after bubblewrap. */
const untilGone = (tree: string) =>
  Effect.sync(() => processesOn(tree).length).pipe(
    Effect.delay(20),
    Effect.repeat({ until: (left) => left === 0 })
  )

const isLsFiles = (pid: string) => {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, "latin1").includes("\0ls-files\0")
  } catch {
    return false
  }
}
