import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { blocksOf } from "../support/documents/documented.ts"
import { installation } from "../support/installation.ts"

interface Up {
  readonly workspace: string
  readonly was: string
  readonly ports: ReadonlyArray<{ readonly guest_port: number; readonly host_port: number; readonly service?: string }>
  readonly changed: ReadonlyArray<{ readonly key: string }>
  readonly needs_recreate: ReadonlyArray<{ readonly key: string }>
}

const own = installation("pyro-project-", { env: { SESSION_KEY: "a-key-of-sessions" } })
afterAll(own.close)

const project = path.join(own.folder, "shop")
const file = path.join(project, "pyro.toml")
/** The example of the page. */
const page = fs.readFileSync(path.resolve(import.meta.dirname, "../../docs/project.md"), "utf8")
const EXAMPLE = blocksOf(page, "toml")[0]!

const FILES = {
  "build.js": "require('fs').appendFileSync('built', 'x')\n",
  "server.js": `const { NODE_ENV, SESSION_KEY } = process.env
let requests = 0
require("http").createServer((request, response) => {
  const built = require("fs").readFileSync("built", "utf8")
  const greeted = require("fs").readFileSync("node_modules/greet/index.js", "utf8")
  if (request.url === "/count") requests += 1
  response.end([requests, built, greeted, NODE_ENV, SESSION_KEY.length].join(" "))
}).listen(3000, "127.0.0.1")
`,
  "node_modules/greet/index.js": "hello",
  ".gitignore": "node_modules\n"
}

const up = (...args: ReadonlyArray<string>) => own.json<Up>(["up", project, ...args])
/** The answer of the service, on the port of this host. */
const answer = async ({ ports }: Up) => (await fetch(`http://127.0.0.1:${ports[0]!.host_port}/count`)).text()

describe("a project with a file", { concurrent: false }, () => {
  let first: Up
  beforeAll(() => {
    for (const [name, text] of Object.entries(FILES)) {
      fs.mkdirSync(path.dirname(path.join(project, name)), { recursive: true })
      fs.writeFileSync(path.join(project, name), text)
    }
    fs.writeFileSync(file, EXAMPLE)
  })

  it("asks, and then has the service of the page on a port of this host", async () => {
    const { asks, code } = await own.failure(["up", project])
    assert.strictEqual(code, "project_not_accepted")
    assert.deepStrictEqual(asks, [
      "connections to npm",
      "a port of 127.0.0.1 of this host for port 3000 of the guest",
      "the value of the variable SESSION_KEY, for commands in the workspace",
      "a copy of files that git ignores: node_modules"
    ])
    first = await up("--yes")
    assert.strictEqual(first.was, "created")
    assert.deepStrictEqual(first.ports.map(({ guest_port, service }) => [guest_port, service]), [[3000, "web"]])
    assert.strictEqual(await answer(first), "1 x hello development 17")
  })

  it("goes on with the same process after down and up", async () => {
    assert.strictEqual((await own.json<{ readonly outcome: string }>(["down", project])).outcome, "paused")
    assert.strictEqual((await own.status(first.workspace)).state, "paused")
    const resumed = await up()
    assert.deepInclude(resumed, { workspace: first.workspace, was: "resumed" })
    assert.strictEqual(await answer(resumed), "2 x hello development 17")
    assert.strictEqual((await up()).was, "running")
  })

  it("starts the service again after a stop, without the set-up", async () => {
    await own.json(["stop", first.workspace])
    const started = await up()
    assert.strictEqual(started.was, "started")
    assert.strictEqual(await answer(started), "1 x hello development 17")
  })

  it("applies a changed file, and makes the workspace again when asked", async () => {
    fs.writeFileSync(
      file,
      EXAMPLE.replace("development", "test").replace("node server.js", "exec node server.js").replace("1G", "768M")
    )
    const changed = await up()
    assert.deepStrictEqual(changed.changed.map(({ key }) => key), ["env.NODE_ENV", "services.web.command"])
    assert.deepStrictEqual(changed.needs_recreate.map(({ key }) => key), ["memory"])
    assert.strictEqual(await answer(changed), "1 x hello test 17")
    const again = await up("--recreate")
    assert.notStrictEqual(again.workspace, first.workspace)
    assert.deepStrictEqual((await own.list()).map(({ id }) => id), [again.workspace])
    assert.strictEqual(await answer(again), "1 x hello test 17")
    assert.strictEqual((await own.json<{ readonly outcome: string }>(["down", project, "--delete"])).outcome, "deleted")
  })
})
