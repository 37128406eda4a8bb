import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { until } from "../support/pyro-cli.ts"
import { isFirecracker } from "../support/vm/vmm.ts"

interface History {
  readonly commands: ReadonlyArray<{
    readonly exec_id: string
    readonly undone: boolean
    readonly point?: string
    readonly also_undone?: number
    readonly written_bytes?: number
  }>
  readonly points: ReadonlyArray<
    { readonly commands: number; readonly created_at: string; readonly id: string; readonly current: boolean }
  >
}

interface Rewound {
  readonly redo: string
  readonly undone: ReadonlyArray<
    { readonly exec_id: string; readonly command: string; readonly changed_nothing?: boolean }
  >
  readonly writes_undone: ReadonlyArray<string>
  readonly memory: boolean
  readonly still_running: ReadonlyArray<string>
  readonly restarted: ReadonlyArray<string>
}

const pyro = installation("pyro-rewind-", { env: { PYRO_REWIND_MIB: "2048", PYRO_REWIND_EVERY_MS: "0" } })
const { call, create, json, sh } = pyro
afterAll(() => pyro.close())

describe("a rewind in a microVM", { concurrent: false }, () => {
  const history = () => json<History>(["history", "w"])
  const rewind = (...options: ReadonlyArray<string>) => json<Rewound>(["rewind", "w", ...options])
  /** Waits for the point of the state after the last command. */
  const settled = () =>
    until("the point after the last command", async () => {
      const { commands, points } = await history()
      return points.some((one) => one.current && one.commands === commands.length)
    })

  /** Runs a script that writes, and waits for the point of the state after it. */
  const step = async (script: string) => {
    await sh("w", script)
    await settled()
  }

  beforeAll(async () => {
    await create(["--name", "w"])
  })

  it("a workspace works again after a command that removed /usr", async () => {
    await sh("w", "echo 3 > version; echo kept > /etc/own")
    // A command does not wait for a point with memory that may take long.
    if (isFirecracker) await settled()
    // The shell that runs it may end in any way.
    await call(["exec", "w", "--", "rm", "-rf", "/usr"])
    const broken = await call(["exec", "w", "--", "git", "--version"])
    assert.notStrictEqual(broken.code, 0)
    // The guest could not start git, so it is no command.
    const { memory, undone } = await rewind()
    assert.strictEqual(memory, isFirecracker)
    assert.deepStrictEqual(undone.map(({ command }) => command), ["rm -rf /usr"])
    assert.match(await sh("w", "cat version /etc/own; git --version"), /^3\nkept\ngit version/)
  })

  it("the history has what a command wrote, and a command that writes nothing makes no point", async () => {
    await step("echo small > small")
    const before = (await history()).points.length
    await step("head -c 20000000 /dev/urandom > large")
    const { commands, points } = await history()
    assert.strictEqual(points.length, before + 1)
    assert.isAtLeast(commands.at(-1)!.written_bytes ?? 0, 20_000_000)
    assert.isAtMost(commands.at(-1)!.written_bytes ?? 0, 40_000_000)
    await sh("w", "cat version")
    await sh("w", "cat version")
    assert.strictEqual((await history()).points.length, points.length)
    // Commands that look are no steps.
    const { undone } = await rewind()
    assert.deepStrictEqual(undone.map(({ changed_nothing }) => changed_nothing === true), [false, true, true])
    assert.strictEqual(await sh("w", "ls small large 2>/dev/null || true"), "small")
  })

  it("an edit of a file is a step, and a look at git's state after it is none", async () => {
    await step(
      "git init -q . 2>/dev/null; git add -A; git -c user.name=a -c user.email=a@b commit -qm all; git status --short"
    )
    await json(["file", "write", "w", "edited", "--text", "one"])
    await settled()
    await json(["file", "edit", "w", "edited", "--old-text", "one", "--new-text", "two"])
    await sh("w", "git status --short; ls")
    const { undone } = await rewind()
    assert.deepStrictEqual(
      undone.map(({ changed_nothing, command }) => changed_nothing === true ? "look" : command),
      ["pyro file edit edited", "look"]
    )
    assert.strictEqual(await sh("w", "cat edited"), "one")
  })

  it("a push that overwrites has a point before it", async () => {
    const host = fs.mkdtempSync(path.join(pyro.folder, "host-"))
    fs.writeFileSync(path.join(host, "pushed"), "theirs\n")
    await json(["sync", "push", "w", host])
    const written = Date.now()
    await json(["file", "write", "w", "pushed", "--text", "mine\n"])
    fs.writeFileSync(path.join(host, "pushed"), "theirs again\n")
    await json(["sync", "push", "w", host, "--force"])
    const { points } = await history()
    assert.strictEqual(await sh("w", "cat pushed"), "theirs again")
    // The idle time after the push may have brought another point.
    const found: Array<string> = []
    for (const { created_at, id } of points) {
      if (Date.parse(created_at) < written || found.includes("mine")) continue
      await json(["rewind", "w", "--to", id])
      found.push(await sh("w", "cat pushed"))
    }
    assert.include(found, "mine")
  })

  it("a service that a command broke runs again, as it was", async () => {
    await sh("w", "mkdir site; echo good > site/index.html; echo 8000 > port")
    await json([
      "service",
      "start",
      "w",
      "web",
      "--ready-tcp",
      "8000",
      "--",
      "sh",
      "-c",
      "cd site && exec python3 -m http.server $(cat ../port)"
    ])
    await step("echo warm > warm")
    await sh("w", "echo broken > port; rm -rf site; pkill -f 'http[.]server'")
    const { still_running, restarted } = await rewind()
    assert.deepStrictEqual([still_running, restarted], isFirecracker ? [["service web"], []] : [[], ["web"]])
    await until("the service", async () => {
      const { services } = await json<{ readonly services: ReadonlyArray<{ readonly state: string }> }>(
        ["service", "list", "w"]
      )
      return services[0]?.state === "ready"
    })
    const program = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:8000').read().decode())"
    assert.include(await sh("w", `python3 -c "${program}"; cat warm`), "good")
  })

  it("rows that a database under a service committed before a command stay, and no others", async () => {
    const server = `import http.server, sqlite3
class Rows(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        db = sqlite3.connect("/workspace/rows.db")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("CREATE TABLE IF NOT EXISTS rows (name TEXT)")
        if self.path != "/": db.execute("INSERT INTO rows VALUES (?)", (self.path[1:],))
        db.commit()
        answer = ",".join(name for (name,) in db.execute("SELECT name FROM rows ORDER BY rowid")).encode()
        db.close()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(answer)
http.server.HTTPServer(("127.0.0.1", 8001), Rows).serve_forever()`
    await json(["service", "start", "w", "db", "--ready-tcp", "8001", "--", "python3", "-c", server])
    const { host_port } = await json<{ readonly host_port: number }>(["port", "publish", "w", "8001"])
    /** Asks until the service answers, which starts again after a rewind. */
    const rows = async (name: string) => {
      let answer: string | undefined
      await until("an answer of the service", async () => {
        answer = await fetch(`http://127.0.0.1:${host_port}/${name}`).then((got) => got.text(), () => undefined)
        return answer !== undefined
      })
      return answer
    }
    await rows("early")
    await step("echo base > b")
    assert.strictEqual(await rows("committed"), "early,committed")
    await sh("w", "rm -f b")
    assert.strictEqual(await rows("later"), "early,committed,later")
    const { undone, writes_undone } = await rewind()
    assert.lengthOf(undone, 1)
    assert.match(writes_undone.join(), /^what service .*db.* wrote since /)
    assert.strictEqual(await rows(""), "early,committed")
    assert.strictEqual(await sh("w", "cat b"), "base")
  })

  it("an installation that went wrong is undone, and done again by a return", async () => {
    await step("mkdir -p node_modules/good; echo ok > node_modules/good/index.js")
    await sh(
      "w",
      "rm -rf node_modules/good; mkdir node_modules/bad; for n in $(seq 200); do echo $n > node_modules/bad/$n.js; done"
    )
    const { redo, undone } = await rewind()
    assert.lengthOf(undone, 1)
    assert.strictEqual(await sh("w", "ls node_modules; cat node_modules/good/index.js"), "good\nok")
    await rewind("--to", redo)
    assert.strictEqual(await sh("w", "ls node_modules; ls node_modules/bad | wc -l"), "bad\n200")
  })

  it("a fork begins before a command of the workspace", async () => {
    await step("echo more > node_modules/more")
    const { exec_id } = await json<{ readonly exec_id: string }>(["exec", "w", "--", "rm", "-rf", "node_modules"])
    await json(["fork", "w", "--name", "child", "--at", exec_id])
    assert.strictEqual(await sh("child", "ls node_modules"), "bad\nmore")
    await json(["delete", "child"])
  })
})
