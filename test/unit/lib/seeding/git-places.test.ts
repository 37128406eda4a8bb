import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { boundPlaces, forCaller } from "../../../../src/contract/wire/caller-project.ts"
import { gitPlacesHeader, gitPlacesOf } from "../../../../src/contract/wire/git-places.ts"
import { gitPlaces, repositoryNotes } from "../../../../src/lib/seeding/git/git-places.ts"
import { carriedNames } from "../../../../src/lib/seeding/git/safe-config.ts"

const shell = { HOME: "/home/ada", XDG_CONFIG_HOME: "/x/cönfig\n", TOKEN: "secret" }

describe("the places of a user's git configuration", () => {
  it.effect("a request has the places of its client's shell, and no other variable", () =>
    Effect.gen(function*() {
      const header = gitPlacesHeader(shell)
      assert.notInclude(JSON.stringify(header), "secret")
      assert.deepStrictEqual(yield* forCaller(header)(gitPlaces), {
        HOME: shell.HOME,
        XDG_CONFIG_HOME: shell.XDG_CONFIG_HOME
      })
    }))

  it.effect("a request without readable places has those of the daemon", () =>
    Effect.gen(function*() {
      for (const headers of [{}, { "pyro-git-places": "[" }, { "pyro-git-places": "{\"HOME\":1}" }]) {
        assert.strictEqual((yield* forCaller(headers)(gitPlaces)).HOME, process.env["HOME"])
      }
    }))

  it.effect("settings of the shell go along in git's order, without those that may have a password", () =>
    Effect.gen(function*() {
      // What git itself passes on, in both of its forms.
      const passed = execFileSync("git", [
        "-c",
        "user.name=O'Neil! x",
        "-c",
        "core.eol",
        "-c",
        "http.extraHeader=token",
        "-c",
        "alias.passed=!printf %s \"$GIT_CONFIG_PARAMETERS\"",
        "passed"
      ], { encoding: "utf8" })
      const places = gitPlacesOf({
        GIT_CONFIG_COUNT: "4",
        GIT_CONFIG_KEY_0: "Core.ExcludesFile",
        GIT_CONFIG_VALUE_0: "/x",
        GIT_CONFIG_KEY_1: "http.https://forge.example/.extraHeader",
        GIT_CONFIG_VALUE_1: "Authorization: secret",
        GIT_CONFIG_KEY_2: "includeIf.gitdir:~/firm/.path",
        GIT_CONFIG_VALUE_2: "/y",
        GIT_CONFIG_PARAMETERS: `${passed} 'user.email=a@b' 'core.hooksPath=/z'`
      })
      assert.deepStrictEqual(places.settings, [
        ["Core.ExcludesFile", "/x"],
        ["includeIf.gitdir:~/firm/.path", "/y"],
        ["user.name", "O'Neil! x"],
        ["core.eol", "true"],
        ["user.email", "a@b"]
      ])
      for (const name of carriedNames) {
        assert.lengthOf(gitPlacesOf({ GIT_CONFIG_PARAMETERS: `'${name}=x'` }).settings ?? [], 1)
      }
      const header = gitPlacesHeader({
        GIT_CONFIG_COUNT: "1",
        GIT_CONFIG_KEY_0: "user.name",
        GIT_CONFIG_VALUE_0: "Ada"
      })
      assert.deepStrictEqual((yield* forCaller(header)(gitPlaces)).settings, [["user.name", "Ada"]])
      for (const count of ["", "x", "-1", "99999999999"]) {
        assert.isUndefined(gitPlacesOf({ GIT_CONFIG_COUNT: count, GIT_CONFIG_KEY_0: "user.name" }).settings)
      }
    }))

  it.effect("a warning names variables that lead to another repository", () =>
    Effect.gen(function*() {
      const notes = (variables: Readonly<Record<string, string>>) =>
        forCaller(gitPlacesHeader(variables))(repositoryNotes("/tree", { gitDir: "/usr/bin", workTree: "/usr" }))
      assert.deepStrictEqual(yield* notes({ GIT_DIR: "/elsewhere", GIT_WORK_TREE: "/home" }), [
        "GIT_DIR of your shell does not count: pyro takes the git repository around /tree, if there is one",
        "GIT_WORK_TREE of your shell does not count: pyro takes the git repository around /tree, if there is one"
      ])
      // As in a hook of git.
      for (const dir of [".git", "/usr/bin"]) {
        assert.deepStrictEqual(yield* notes({ GIT_DIR: dir, GIT_WORK_TREE: "/usr" }), [])
      }
    }))

  it.effect("a warning names another index, and none names that of a hook", () =>
    Effect.gen(function*() {
      const notes = (variables: Readonly<Record<string, string>>) =>
        forCaller(gitPlacesHeader(variables))(repositoryNotes("/tree", { gitDir: "/usr/bin", workTree: "/usr" }))
      assert.deepStrictEqual(yield* notes({ GIT_INDEX_FILE: "/usr/bin/next-index-1.lock" }), [
        "GIT_INDEX_FILE of your shell does not count: pyro takes the git repository around /tree, if there is one"
      ])
      for (const index of [".git/index", "/usr/bin/index"]) {
        assert.deepStrictEqual(yield* notes({ GIT_INDEX_FILE: index }), [])
      }
    }))

  it.effect("the author of the shell is the identity, before settings, and another committer is named", () =>
    Effect.gen(function*() {
      const header = gitPlacesHeader({
        GIT_CONFIG_COUNT: "1",
        GIT_CONFIG_KEY_0: "user.name",
        GIT_CONFIG_VALUE_0: "Configured",
        GIT_AUTHOR_NAME: "Ada",
        GIT_AUTHOR_EMAIL: "",
        GIT_COMMITTER_NAME: "Ada",
        GIT_COMMITTER_EMAIL: "other@example.org"
      })
      assert.deepStrictEqual((yield* forCaller(header)(gitPlaces)).settings?.at(-1), ["user.name", "Ada"])
      const notes = yield* forCaller(header)(repositoryNotes("/tree"))
      assert.deepStrictEqual(notes.map((note) => note.split(" ")[0]), ["GIT_COMMITTER_EMAIL"])
    }))

  it.effect("the page cannot name places", () =>
    Effect.gen(function*() {
      const bound = Effect.provideService(gitPlaces, boundPlaces, { reading: [], writing: [] })
      assert.strictEqual((yield* forCaller(gitPlacesHeader(shell))(bound)).HOME, process.env["HOME"])
    }))
})
