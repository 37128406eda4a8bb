import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as http from "node:http"
import type { AddressInfo } from "node:net"
import * as path from "node:path"
import { parseSource } from "../../../../src/lib/seeding/git/remote.ts"
import { temporaryDirectory } from "../disk/temporary-directory.ts"
import { commit, names, repository, seeded, seedWith, status, userGit, write } from "./support.ts"

/** Serves the repositories of a folder as a forge does, by git's own CGI program, and notes what was asked. */
const smart = (folder: string, asked: Array<string>): http.RequestListener => (request, response) => {
  const url = new URL(request.url ?? "/", "http://localhost")
  asked.push(`${request.headers.authorization ?? "-"} ${url.pathname}`)
  const child = spawn("git", ["http-backend"], {
    env: {
      PATH: process.env["PATH"],
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "safe.directory",
      GIT_CONFIG_VALUE_0: "*"
    },
    stdio: ["pipe", "pipe", "inherit"]
  })
  request.pipe(child.stdin)
  const chunks: Array<Buffer> = []
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk)).on("end", () => {
    const said = Buffer.concat(chunks)
    const end = said.indexOf("\r\n\r\n")
    for (const line of said.toString("latin1", 0, end).split("\r\n")) {
      const [name = "", value = ""] = line.split(": ")
      if (name === "Status") response.statusCode = Number(value.slice(0, 3))
      else response.setHeader(name, value)
    }
    response.end(said.subarray(end + 4))
  })
}

/** Hands out the files of a folder and knows nothing of git. */
const dumb = (folder: string): http.RequestListener => (request, response) => {
  const file = path.join(folder, new URL(request.url ?? "/", "http://localhost").pathname)
  if (fs.existsSync(file) && fs.statSync(file).isFile()) return response.end(fs.readFileSync(file))
  response.statusCode = 404
  response.end()
}

const served = (listener: http.RequestListener) =>
  Effect.acquireRelease(
    Effect.callback<http.Server>((resume) => {
      const server = http.createServer(listener)
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close())
  ).pipe(Effect.map((server) => `127.0.0.1:${(server.address() as AddressInfo).port}`))

/** Two commits, a tag on the first, a branch with a third, and attributes that would change what an archive holds. */
const upstream = (folder: string) => {
  const tree = repository(folder, "upstream")
  write(tree, {
    ".gitattributes": "*.txt export-subst\nhidden export-ignore\n*.crlf text eol=crlf\n*.id ident\n",
    "a.txt": "$Format:%H$\n",
    "hidden": "there\n",
    "x.crlf": "1\n2\n",
    "y.id": "$Id$\n",
    "dir/tool": "#!/bin/sh\n"
  })
  fs.chmodSync(path.join(tree, "dir/tool"), 0o755)
  fs.symlinkSync("a.txt", path.join(tree, "link"))
  commit(tree, "first")
  userGit(tree, "tag", "-a", "v1", "-m", "v1")
  write(tree, { "b": "b\n" })
  const second = commit(tree, "second")
  userGit(tree, "checkout", "-q", "-b", "topic/x")
  write(tree, { "c": "c\n" })
  const third = commit(tree, "third")
  userGit(tree, "checkout", "-q", "main")
  return { tree, first: userGit(tree, "rev-parse", "v1^{commit}").trim(), second, third }
}

const all = [".git", ".gitattributes", "a.txt", "b", "dir", "hidden", "link", "x.crlf", "y.id"]

describe("a seed from a repository's URL", { concurrent: true }, () => {
  it.live("a URL seed has a commit's files and a clean state", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const { second, tree } = upstream(folder)
      const asked: Array<string> = []
      const host = yield* served(smart(folder, asked))
      const { report, workspace } = yield* seeded({ repoUrl: `http://me:s3cret@${host}/upstream/.git` })
      assert.deepStrictEqual(names(workspace), all)
      assert.strictEqual(fs.readFileSync(path.join(workspace, "a.txt"), "utf8"), "$Format:%H$\n")
      assert.strictEqual(fs.readFileSync(path.join(workspace, "x.crlf"), "utf8"), "1\n2\n")
      assert.strictEqual(fs.readFileSync(path.join(workspace, "y.id"), "utf8"), "$Id$\n")
      assert.strictEqual(fs.statSync(path.join(workspace, "dir/tool")).mode & 0o777, 0o755)
      assert.strictEqual(userGit(workspace, "status", "--porcelain"), "")
      assert.include(status(workspace), "# branch.upstream origin/main\n# branch.ab +0 -0\n")
      assert.strictEqual(userGit(workspace, "log", "--format=%H").trim(), second)
      assert.strictEqual(userGit(workspace, "remote", "get-url", "origin").trim(), `http://${host}/upstream/.git`)
      assert.deepStrictEqual(report.git, { head: second, ref: "refs/heads/main", mode: "shallow" })
      assert.isTrue(fs.existsSync(tree))
      userGit(workspace, "fsck", "--strict")
    }))

  it.live("a URL seed follows branches, tags and ids, and asks a server only for missing commits", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const { first, second, third } = upstream(folder)
      const asked: Array<string> = []
      const repoUrl = `http://${yield* served(smart(folder, asked))}/upstream/.git`
      const branch = yield* seeded({ repoUrl, repoRef: "topic/x", git: "full" })
      assert.strictEqual(branch.report.git?.head, third)
      assert.strictEqual(userGit(branch.workspace, "rev-list", "--count", "HEAD").trim(), "3")
      assert.strictEqual(userGit(branch.workspace, "rev-parse", "origin/main").trim(), second)
      const tag = yield* seeded({ repoUrl, repoRef: "v1" })
      assert.deepStrictEqual(tag.report.git, { head: first, ref: undefined, mode: "shallow" })
      assert.notInclude(names(tag.workspace), "b")
      const cache = path.join(folder, "cache")
      fs.mkdirSync(cache)
      const id = yield* seedWith(cache, { repoUrl, repoRef: second, git: "none" })
      assert.strictEqual(id.report.git?.head, second)
      asked.length = 0
      assert.deepStrictEqual(yield* seedWith(cache, { repoUrl, repoRef: second, git: "none" }), id)
      assert.deepStrictEqual(asked, [])
      for (const repoRef of ["nowhere", "-evil", "a b", "refs/heads/../x"]) {
        const failure = yield* Effect.flip(seedWith(cache, { repoUrl, repoRef }))
        assert.strictEqual(failure._tag, "SeedRejected", repoRef)
      }
    }))

  it.live("a URL seed works with a server of plain files", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const { second, tree } = upstream(folder)
      userGit(tree, "update-server-info")
      const { report } = yield* seeded({ repoUrl: `http://${yield* served(dumb(folder))}/upstream/.git` })
      assert.strictEqual(report.git?.head, second)
    }))

  it.live("a URL seed reads a local repository at any commit", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const { first, tree } = upstream(folder)
      write(tree, { "b": "edited, and not committed\n" })
      const here = yield* seeded({ repoUrl: tree })
      assert.deepStrictEqual(names(here.workspace), all)
      assert.strictEqual(fs.readFileSync(path.join(here.workspace, "b"), "utf8"), "b\n")
      userGit(folder, "clone", "-q", "--bare", tree, "bare.git")
      const bare = yield* seeded({ repoUrl: `file://${folder}/bare.git`, repoRef: "v1" })
      assert.strictEqual(bare.report.git?.head, first)
      assert.strictEqual(userGit(bare.workspace, "status", "--porcelain"), "")
    }))

  it.live("a failed URL seed reports the reason without its password", () =>
    Effect.gen(function*() {
      const host = yield* served(dumb(yield* temporaryDirectory))
      const failure = yield* Effect.flip(seeded({ repoUrl: `http://me:s3cret@${host}/none.git` }))
      assert.strictEqual(failure._tag, "SeedRejected")
      assert.include(failure.message, `http://${host}/none.git`)
      assert.notInclude(failure.message, "s3cret")
    }))

  it.live("a server that refuses a token learns it alone: no error has the token", () =>
    Effect.gen(function*() {
      const host = yield* served((_, answer) => {
        answer.writeHead(401, { "www-authenticate": "Basic realm=\"x\"" })
        answer.end()
      })
      for (const user of ["ghp_s3crettoken", "short", "ghp_s3cr%25token", "me:s3cret%24", "%ff:s3cret"]) {
        const failure = yield* Effect.flip(seeded({ repoUrl: `http://${user}@${host}/none.git` }))
        assert.include(failure.message, `http://${host}/none.git`)
        assert.notMatch(failure.message, /s3cr|short|me:/, user)
      }
    }))

  it("a URL seed may be https, http of this host, or a path", () => {
    const tags = (urls: ReadonlyArray<string>) => urls.map((url) => parseSource(url)._tag)
    assert.deepStrictEqual(
      tags(["https://h/x", "http://127.0.0.1:80/x", "http://localhost/x"]),
      Array(3).fill("remote")
    )
    assert.deepStrictEqual(tags(["/home/me/x", "file:///x"]), Array(2).fill("local"))
    const refused = [
      "http://example.org/x",
      "ssh://git@h/x",
      "git@h:x",
      "git://h/x",
      "ext::sh -c x",
      "-u/x",
      "x",
      "",
      "https://h/\n"
    ]
    assert.deepStrictEqual(tags(refused), Array(refused.length).fill("refused"))
  })
})
