import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { callerProject } from "../../../../src/contract/wire/caller-project.ts"
import { SeedImages } from "../../../../src/lib/disk/SeedImages.ts"
import { demandNarrow } from "../../../../src/lib/seeding/model/source.ts"
import { temporaryDirectory } from "../disk/temporary-directory.ts"
import { commit, hostServices, names, repository, seeded, userGit, write } from "./support.ts"

/** A home directory for as long as the Scope. */
const at = (home: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const before = process.env["HOME"]
      process.env["HOME"] = home
      return before
    }),
    (before) => Effect.sync(() => before === undefined ? delete process.env["HOME"] : process.env["HOME"] = before)
  )

describe("a seed path", () => {
  it.live("a seed path that is /, a home directory or contains one is refused, links resolved", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const home = path.join(folder, "homes", "ada")
      fs.mkdirSync(path.join(home, "project"), { recursive: true })
      fs.symlinkSync(home, path.join(folder, "link"))
      yield* at(home)
      const wide = ["/", home, path.dirname(home), path.join(folder, "link"), os.userInfo().homedir]
      for (const source of wide) {
        const refusal = yield* Effect.flip(demandNarrow("seed_path", source, false))
        assert.include(refusal.message, "allow_home: true")
        yield* demandNarrow("seed_path", source, true)
      }
      for (const source of [path.join(home, "project"), path.join(folder, "nowhere"), undefined]) {
        yield* demandNarrow("seed_path", source, false)
      }
    }))

  it.live("a link is followed for a person, once, and for a server only within the directories that it may read", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const [project, other] = [path.join(folder, "project"), path.join(folder, "other")]
      write(other, { "private": "p" })
      fs.mkdirSync(project)
      const link = path.join(project, "link")
      fs.symlinkSync(other, link)
      assert.deepStrictEqual(names((yield* seeded({ seedPath: link })).workspace), ["private"])
      const server = (reading: ReadonlyArray<string>) =>
        Effect.provideService(callerProject, { project, all: false, places: { reading, writing: [] } })
      const refused = yield* Effect.flip(server([project])(seeded({ seedPath: link })))
      assert.include(refused.message, "leads out of the directories that this server may use")
      yield* server([project, other])(seeded({ seedPath: other }))
      // A path that was resolved has no link: one that is there now came later.
      const unfollowed = SeedImages.pipe(
        Effect.flatMap((seeds) => Effect.flip(seeds.fromPath({ path: link, virtualMib: 256 }))),
        Effect.provide(hostServices)
      )
      assert.include((yield* unfollowed).message, "the directory cannot be read")
    }))

  it.live("a refused seed path is not read, and allow_home accepts it", () =>
    Effect.gen(function*() {
      const home = yield* temporaryDirectory
      write(home, { "file": "f\n" })
      yield* at(home)
      const refusal = yield* Effect.flip(seeded({ seedPath: home }))
      assert.include(refusal.message, "is a home directory")
      assert.deepStrictEqual(names((yield* seeded({ seedPath: home, allowHome: true })).workspace), ["file"])
    }))

  it.live("a directory whose files no repository chose is copied whole, and the report says why", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const plain = path.join(folder, "plain")
      write(plain, { "file": "f\n", ".gitignore": "node_modules\n", "node_modules/a": "a\n" })
      const whole = yield* seeded({ seedPath: plain })
      assert.include(names(whole.workspace), "node_modules")
      assert.strictEqual(whole.report.whole, `${plain} is no git repository`)
      const tree = repository(folder)
      write(tree, { "file": "f\n" })
      assert.isUndefined((yield* seeded({ seedPath: tree })).report.whole)
    }))

  it.live("a bare repository gives a checkout, as its URL does", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const tree = repository(folder)
      write(tree, { "file.txt": "one\n", "sub/other": "2\n" })
      const head = commit(tree, "first")
      const bare = path.join(folder, "bare.git")
      userGit(folder, "clone", "-q", "--bare", tree, bare)
      const { report, workspace } = yield* seeded({ seedPath: bare })
      assert.deepStrictEqual(names(workspace), [".git", "file.txt", "sub"])
      assert.deepStrictEqual(report.git, { head, ref: "refs/heads/main", mode: "shallow" })
      assert.strictEqual(userGit(workspace, "status", "--porcelain"), "")
      const byUrl = yield* seeded({ repoUrl: bare })
      assert.deepStrictEqual(names(byUrl.workspace), names(workspace))
      assert.deepStrictEqual(byUrl.report.git, report.git)
    }))
})
