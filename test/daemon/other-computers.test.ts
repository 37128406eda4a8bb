import { execFile, execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { rawClient } from "../mcp/raw-client.ts"
import { installation, smallSizes } from "../support/installation.ts"
import { otherComputer, type System } from "../support/platform/other-computer.ts"
import { pyroPath, temporaryFolder } from "../support/pyro-cli.ts"
import { startSshd } from "../support/ssh/sshd.ts"

const program = fileURLToPath(new URL("../fixtures/other-computer-program.ts", import.meta.url))

describe.each<System>(["darwin", "win32"])("a client on %s", (system) => {
  const there = installation(`pyro-${system}-there-`)
  const { folder, remove } = temporaryFolder(`pyro-${system}-`)
  const computer = otherComputer(system, folder)
  let sshd: Awaited<ReturnType<typeof startSshd>>
  let env: Readonly<Record<string, string>>
  const server = ["env", ...Object.entries(there.env).map(([name, value]) => `${name}=${value}`)]
  /** A command that has to succeed, and that asks for nothing that such a computer does not have. */
  const run = async (args: ReadonlyArray<string>, input?: string) => {
    const { code, stderr, stdout } = await computer.call(args, { env, ...(input === undefined ? {} : { input }) })
    assert.strictEqual(code, 0, `pyro ${args.join(" ")}: ${stdout.toString()}${stderr}`)
    computer.assertUnasked()
    return stdout.toString()
  }
  beforeAll(async () => {
    sshd = await startSshd(folder)
    // A login of its own for each command: a shared one would go on after the test.
    fs.appendFileSync(path.join(folder, "ssh_config"), "\n  ControlPath none\n  ControlMaster no\n")
    env = { PATH: `${sshd.bin}:${process.env["PATH"]}` }
  })
  afterAll(async () => {
    await there.close()
    await sshd.stop()
    remove()
  })

  it("says its version and its help, and that it runs no microVMs", async () => {
    assert.include(await run(["--version"]), `${system} `)
    assert.include(await run(["exec", "--help"]), "Usage")
    for (const args of [["list"], ["create"], ["env", "list"], ["gc"], ["config"], ["ui"]]) {
      const { code, stdout } = await computer.call([...args, "--json"], { env })
      assert.strictEqual(code, 1, args.join(" "))
      const { error } = JSON.parse(stdout.toString()) as {
        readonly error: { readonly code: string; readonly next: ReadonlyArray<{ readonly command?: string }> }
      }
      assert.strictEqual(error.code, "no_micro_vms", args.join(" "))
      assert.strictEqual(error.next[0]?.command, "pyro context add NAME ssh://USER@HOST")
    }
    const doctor = await computer.call(["doctor"], { env })
    assert.strictEqual(doctor.code, 1)
    assert.match(doctor.stdout.toString(), /^WRONG microVMs: .*\n *fix it with: pyro context add NAME ssh:/)
    const here = await computer.call(["serve", "--stdio"], { env })
    assert.strictEqual(here.code, 1)
    assert.include(here.stdout.toString(), "NoMicroVms")
    computer.assertUnasked()
  })

  it("uses the workspaces of another machine", async () => {
    await run([
      "context",
      "add",
      "bench",
      "ssh://bench",
      "--command",
      [...server, process.execPath, pyroPath].join(" ")
    ])
    await run(["context", "use", "bench"])
    assert.include(await run(["context", "list"]), "ssh://bench")
    await run(["create", "--name", "fix", ...smallSizes])
    assert.include(await run(["list"]), "fix")
    assert.strictEqual(await run(["exec", "fix", "uname"]), "Linux\n")
    const { code, stderr, stdout } = await computer.call(
      ["exec", "-i", "fix", "--", "sh", "-c", "cat; echo to stderr >&2; exit 3"],
      { env, input: "to stdin" }
    )
    assert.deepStrictEqual([code, stdout.toString(), stderr], [3, "to stdin", "to stderr\n"])
    await run(["file", "write", "fix", "note.txt"], "text\n")
    assert.strictEqual(await run(["file", "read", "fix", "note.txt"]), "text\n")
    assert.include(await run(["diff", "fix"]), "+text")
    assert.include(await run(["logs", "fix"]), "uname")
    assert.match(await run(["doctor"]), /^ok {4}way to bench: /)
    assert.include(await run(["__complete", "--", "context", "use", "b"]), "bench")
  })

  it("writes an export, and names what this computer cannot have before it writes", async () => {
    const output = path.join(folder, `out-${system}`)
    await run([
      "exec",
      "fix",
      "--",
      "sh",
      "-ec",
      "mkdir -p src/deep; echo a > src/a; echo b > src/deep/b; chmod +x src/a"
    ])
    await run(["export", "fix", "src", "--output", output])
    assert.deepStrictEqual(fs.readdirSync(output, { recursive: true }).sort(), ["a", "deep", "deep/b"])
    assert.strictEqual(fs.readFileSync(path.join(output, "deep/b"), "utf8"), "b\n")
    await run(["exec", "fix", "--", "sh", "-ec", "echo upper > src/A; echo 1 > 'src/aux.txt'; echo 2 > src/new"])
    const { code, stdout } = await computer.call(
      ["export", "fix", "src", "--output", output, "--overwrite", "--json"],
      { env }
    )
    assert.strictEqual(code, 1)
    const { error } = JSON.parse(stdout.toString()) as { readonly error: { readonly paths: ReadonlyArray<string> } }
    assert.deepStrictEqual(
      error.paths,
      system === "win32"
        ? ["a: it is one file with A on Windows", "aux.txt: aux is a device of Windows"]
        : ["a: it is one file with A on macOS"]
    )
    assert.isFalse(fs.existsSync(path.join(output, "new")))
    await run(["export", "fix", "src", "--output", output, "--overwrite", "--exclude", "A", "--exclude", "aux.txt"])
    assert.isTrue(fs.existsSync(path.join(output, "new")))
    assert.strictEqual(fs.readFileSync(path.join(output, "a"), "utf8"), "a\n")
    await run(["export", "fix", "src", "--output", `${output}.tar`])
    assert.deepStrictEqual(fs.readdirSync(folder).filter((name) => name.startsWith(".pyro-put")), [])
    computer.assertUnasked()
  }, 120_000)

  it("sends the files of a work tree that git chooses", async () => {
    const project = path.join(folder, `project-${system}`)
    fs.mkdirSync(path.join(project, "src"), { recursive: true })
    const git = (...args: ReadonlyArray<string>) => execFileSync("git", args, { cwd: project })
    git("init", "-q")
    fs.writeFileSync(path.join(project, ".gitignore"), "ignored\n")
    for (const name of ["src/a", "new", "ignored"]) fs.writeFileSync(path.join(project, name), `${name}\n`)
    git("add", "src", ".gitignore")
    await run(["sync", "push", "fix", project, "--dest", "pushed"])
    const found = await run(["exec", "fix", "--", "sh", "-c", "cd pushed && find . -type f | sort && cat src/a"])
    assert.strictEqual(found, "./.gitignore\n./new\n./src/a\nsrc/a\n")
    computer.assertUnasked()
  }, 120_000)

  it("passes each character of a command to the other machine", async () => {
    const words = ["a b", `"quoted"`, "$HOME", "back\\slash", "%PATH%", "ä€𝄞", "", "*", "'"]
    assert.strictEqual(
      await run(["exec", "fix", "--", "printf", "<%s>", ...words]),
      words.map((word) => `<${word}>`).join("")
    )
  })

  it("serves an agent host and a program", async () => {
    const client = rawClient([...computer.node, pyroPath, "mcp", "serve", "--all-workspaces"], {
      env: { ...computer.env, ...env },
      cwd: folder
    })
    await client.initialize()
    const { result } = await client.request("tools/call", {
      name: "workspace_exec",
      arguments: { workspace_id: "fix", command: "uname" }
    })
    assert.include(JSON.stringify(result), "Linux")
    client.close()
    const { stdout } = await promisify(execFile)(
      computer.node[0]!,
      [...computer.node.slice(1), program, "bench", "uname"],
      { env: { ...process.env, ...computer.env, ...env } }
    )
    assert.strictEqual(stdout, "Linux\n")
    computer.assertUnasked()
  })

  it("keeps its contexts where programs of the system keep what is one user's", async () => {
    const parent = path.join(folder, "own")
    const variables = system === "win32" ? { LOCALAPPDATA: parent } : { HOME: parent, XDG_STATE_HOME: "" }
    const { code, stderr } = await computer.call(["context", "add", "other", "ssh://other"], {
      env: { ...env, ...variables, PYRO_STATE_DIR: "", PYRO_CACHE_DIR: "" }
    })
    assert.strictEqual(code, 0, stderr)
    const state = system === "win32" ? "pyro/state" : ".local/state/pyro"
    assert.deepStrictEqual(fs.readdirSync(path.join(parent, state, "contexts")), ["other.json"])
    computer.assertUnasked()
  })
})
