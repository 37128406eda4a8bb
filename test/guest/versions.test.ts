import { execFile } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { promisify } from "node:util"
import { afterAll, assert, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { pyroPath, temporaryFolder } from "../support/pyro-cli.ts"

const root = path.join(import.meta.dirname, "../..")
const { call, close, create, failure, json, sh, state, status, step } = installation("pyro-versions-")
const { folder, remove } = temporaryFolder("pyro-other-versions-")
afterAll(async () => {
  await close()
  remove()
})

/** A copy of the built pyro with another version and another bundle; `change` edits the bundle. Gives its command. */
const copyOf = (version: string, digit: string, change: (bundle: string) => string = (bundle) => bundle) => {
  const dist = path.join(folder, version, "dist")
  fs.cpSync(path.dirname(pyroPath), dist, {
    recursive: true,
    filter: (file) => !file.endsWith(".map") && path.basename(file) !== "lib"
  })
  for (const name of ["guest-agent", "native", "rootfs", "package.json"]) {
    fs.symlinkSync(path.join(root, name), path.join(folder, version, name))
  }
  const command = path.join(dist, "pyro.js")
  const text = fs.readFileSync(command, "utf8")
  const bundle = /BUNDLE = "([^"]+)"/.exec(text)![1]!
  // V8's code cache is found by the name of the bundle.
  const renamed = `main-${digit.repeat(16)}.cjs`
  fs.writeFileSync(path.join(dist, renamed), change(fs.readFileSync(path.join(dist, bundle), "latin1")), "latin1")
  fs.writeFileSync(
    command,
    text.replace(/VERSION = "[^"]+"/, `VERSION = "${version}"`).replace(`BUNDLE = "${bundle}"`, `BUNDLE = "${renamed}"`)
  )
  const run = async (...args: ReadonlyArray<string>) => {
    const env = { ...process.env, PYRO_STATE_DIR: state }
    return (await promisify(execFile)(process.execPath, [command, ...args], { env })).stdout
  }
  return {
    run,
    refused: (...args: ReadonlyArray<string>) => run(...args).then(() => "", (error) => String(error.stderr))
  }
}

/** Speaks another version of the protocol of the channel. */
const otherProtocol = (bundle: string) => {
  const name = /of the protocol, this pyro \$\{([\w$]+)\}/.exec(bundle)![1]!
  const changed = bundle.replaceAll(
    new RegExp(`(?<=[;,\\s])${name.replaceAll("$", "\\$")}=1(?=[;,])`, "g"),
    `${name}=2e0`
  )
  assert.notStrictEqual(changed, bundle)
  return changed
}

describe("two versions of pyro and one state directory", { concurrent: false }, () => {
  let id: string

  it("a client of another version leaves a daemon with a running workspace alone, and names both versions", async () => {
    ;({ id } = await create(["--name", "kept"]))
    await sh("kept", "echo kept > kept.txt; sync")
    await json(["workspace", "exec", "kept", "--detach", "--", "sleep", "86400"])
    const said = await copyOf("9.0.0", "9").refused("list")
    assert.match(said, /the daemon is pyro 0\.\d+\.\d+ \([0-9a-f]{8}\), and this is pyro 9\.0\.0 \(99999999\)/)
    assert.include(said, "pyro daemon stop")
    assert.strictEqual((await status("kept")).state, "running")
  })

  it("the other version's daemon takes over the workspace, whose commands go on", async () => {
    const next = copyOf("9.0.1", "8")
    await next.run("daemon", "stop")
    assert.strictEqual(await next.run("exec", "kept", "--", "sh", "-c", "cat kept.txt; pgrep -c sleep"), "kept\n1\n")
    await next.run("daemon", "stop")
  })

  it("a daemon with another protocol cannot use the guest, and the first version starts the workspace again from its disk", async () => {
    const next = copyOf("10.0.0", "7", otherProtocol)
    assert.match(await next.refused("exec", "kept", "--", "true"), /speaks version 1 of the protocol, this pyro 2/)
    const { state: shown } = JSON.parse(await next.run("status", "kept", "--json")) as { readonly state: string }
    assert.strictEqual(shown, "failed")
    await next.run("daemon", "stop")
    assert.strictEqual(await sh("kept", "cat kept.txt"), "kept")
    await step("stop", "kept")
  })

  it("a stopped workspace of 0.1.0 starts from its record, with its files", async () => {
    assert.strictEqual((await call(["daemon", "stop"])).code, 0)
    const file = path.join(state, "workspaces", id, "record.json")
    const here = JSON.parse(fs.readFileSync(file, "utf8")) as Readonly<Record<string, unknown>>
    const fixture = path.join(root, "test/fixtures/records/0.1.0/state/workspaces/ws-0469cb54a9/record.json")
    const old = JSON.parse(fs.readFileSync(fixture, "utf8")) as Readonly<Record<string, unknown>>
    assert.deepInclude(old, { format: 3, phase: "stopped", name: "plain" })
    // The disk and the environment are those of this host.
    const { diskMib, environment, disk, generation } = here
    fs.writeFileSync(file, JSON.stringify({ ...old, id, diskMib, environment, disk, generation }))
    assert.strictEqual((await status("plain")).state, "stopped")
    await step("start", "plain")
    assert.strictEqual(await sh("plain", "cat kept.txt"), "kept")
    assert.strictEqual((await failure(["workspace", "status", "kept"])).code, "workspace_not_found")
  })
})
