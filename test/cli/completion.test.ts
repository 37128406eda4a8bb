import { Effect } from "effect"
import { spawn as spawnTerminal } from "node-pty"
import { execFileSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { delimiter, join } from "node:path"
import { assert, beforeAll, describe, it } from "vitest"
import { folderOf, WorkspaceId, type WorkspaceRecord, writeWorkspace } from "../../src/workspace/entry/record.ts"
import { buildFake } from "./build-fake.ts"
import { eventually, run } from "./cli-process.ts"
import { interactive, type Shell } from "./shells.ts"

const binary = buildFake()
const bin = join(binary.folder, "bin")

const record = (id: string, name: string | undefined, phase: WorkspaceRecord["phase"]): WorkspaceRecord => ({
  format: 3,
  id: WorkspaceId.make(id),
  phase,
  ...(name === undefined ? {} : { name }),
  labels: {},
  environment: { name: "debian:12", digest: "sha256:00" },
  generation: 1,
  disk: 1,
  vcpuCount: 1,
  memoryMib: 64,
  diskMib: 64,
  workspaceUser: "root",
  residents: {},
  createdAt: "2025-01-02T03:04:05.000Z"
})

const COMMANDS = ["4f0c6a1e9b7d42c58f3e6a7b8c9d0e1f", "a1b2c3d4e5f60718293a4b5c6d7e8f90"]

beforeAll(async () => {
  mkdirSync(bin)
  const script = `#!/bin/sh\nexec "${process.execPath}" "${binary.entry}" "$@"\n`
  writeFileSync(join(bin, "pyro"), script, { mode: 0o755 })
  const records = [
    record("ws-0000000001", "fix", "running"),
    record("ws-0000000002", undefined, "stopped"),
    record("ws-0000000003", "flaky", "deleting")
  ]
  for (const one of records) {
    const folder = folderOf(join(binary.folder, "state"), one.id)
    mkdirSync(folder.directory, { recursive: true })
    await Effect.runPromise(writeWorkspace(folder, one))
  }
  const { snapshots } = folderOf(join(binary.folder, "state"), records[0]!.id)
  const { journal } = folderOf(join(binary.folder, "state"), records[0]!.id)
  writeFileSync(journal, COMMANDS.map((id) => `${JSON.stringify({ started: { id, command: ["ls"] } })}\n`).join(""))
  for (const name of ["green", "red", ".being-removed"]) mkdirSync(join(snapshots, name), { recursive: true })
  execFileSync(process.execPath, [binary.entry, "context", "add", "bench", "ssh://bench"], { env, stdio: "ignore" })
})

const env = { ...process.env, ...binary.env, PATH: `${bin}${delimiter}${process.env["PATH"]}` }

/** What bash offers for a line of words that it does not split, the last of which is incomplete. */
const offered = (...words: ReadonlyArray<string>) =>
  execFileSync("bash", [
    "-c",
    `source <(pyro completion bash)
     COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
     _pyro pyro "\${@: -1}"
     printf '%s\\n' "\${COMPREPLY[@]}"`,
    "bash",
    ...words
  ], {
    env,
    encoding: "utf8"
  }).split("\n").filter((line) => line !== "")

/** What an interactive shell makes of a line when TAB is typed behind it; `setUp` is done there first. */
const completed = async (line: string, setUp = "", shell: Shell = "bash") => {
  const { args, variables } = interactive(shell, binary.folder, setUp)
  const terminal = spawnTerminal(shell, [...args], {
    rows: 30,
    cols: 100,
    name: "xterm",
    env: { ...env, ...variables } as Record<string, string>
  })
  let screen = ""
  terminal.onData((text) => {
    screen += text
  })
  const told = () => [...screen.matchAll(/<([^>]*)>/g)].at(-1)?.[1]
  try {
    await eventually("the prompt", () => screen.includes("ready> "), () => screen)
    screen = ""
    terminal.write(`${line}\t`)
    if (shell === "bash") terminal.write("\x18s")
    // The others take what comes right behind a TAB for pasted, so they are asked again and again.
    const asking = shell === "bash" ? undefined : setInterval(() => terminal.write("\x18s"), 300)
    await eventually("the line", () => told() !== undefined && (shell === "bash" || told() !== line), () => screen)
      .finally(() => clearInterval(asking))
    return told()
  } finally {
    terminal.kill("SIGKILL")
  }
}

describe("completion in bash", () => {
  it("bash completes commands, flags and choices", () => {
    assert.deepStrictEqual(offered("pyro", "workspace", "fi"), ["file"])
    assert.deepStrictEqual(offered("pyro", "workspace", "create", "--vc"), ["--vcpu-count"])
    assert.deepStrictEqual(offered("pyro", "workspace", "create", "--git", "f"), ["full"])
  })

  it("bash completes names of workspaces without a daemon", async () => {
    assert.deepStrictEqual(offered("pyro", "workspace", "snapshot", "delete", "fix", ""), ["green", "red"])
    assert.deepStrictEqual(offered("pyro", "workspace", "exec", ""), ["fix", "ws-0000000002"])
    assert.deepStrictEqual(offered("pyro", "ws", "status", "ws-"), ["ws-0000000001", "ws-0000000002"])
    assert.deepStrictEqual(offered("pyro", "ws", "cancel", "fix", ""), COMMANDS)
    assert.deepStrictEqual(offered("pyro", "ws", "logs", "ws-0000000001", "--exec-id", "a"), [COMMANDS[1]])
    const { stdout } = await run(binary, ["daemon", "status", "--json"])
    assert.isFalse(JSON.parse(stdout.toString()).running)
  })

  it("bash completes names of contexts, and none of this machine for another one", async () => {
    assert.deepStrictEqual(offered("pyro", "--context", ""), ["bench", "local"])
    assert.deepStrictEqual(offered("pyro", "context", "use", "b"), ["bench"])
    assert.deepStrictEqual(offered("pyro", "--context", "bench", "exec", ""), [])
    assert.deepStrictEqual(offered("pyro", "--context", "local", "exec", "f"), ["fix"])
    assert.strictEqual((await completed("pyro list --context=b"))?.trimEnd(), "pyro list --context=bench")
  })

  it.each([
    ["pyro mcp ", "pyro mcp serve"],
    ["pyro workspace delete fix ", "pyro workspace delete fix ws-0000000002"],
    ["pyro workspace reset fix --snapshot g", "pyro workspace reset fix --snapshot green"],
    ["pyro workspace compare fi", "pyro workspace compare fix"],
    ["pyro workspace compare fix@", "pyro workspace compare fix@"],
    ["pyro workspace compare fix@g", "pyro workspace compare fix@green"],
    ["pyro workspace compare fix fix@r", "pyro workspace compare fix fix@red"],
    ["pyro workspace compare fix@green fix@r", "pyro workspace compare fix@green fix@red"],
    ["pyro run deb", "pyro run debian:1"],
    ["pyro run debian:", "pyro run debian:1"]
  ])("bash completes %j to %j", async (line, expected) => {
    // A space follows what is the only one.
    assert.strictEqual((await completed(line))?.trimEnd(), expected)
  })

  it("bash completes the same words if COMP_WORDBREAKS lacks @ and :", async () => {
    const unsplit = "COMP_WORDBREAKS=${COMP_WORDBREAKS//[@:]/}"
    assert.strictEqual(await completed("pyro workspace compare fix@g", unsplit), "pyro workspace compare fix@green ")
    assert.strictEqual(await completed("pyro run debian:", unsplit), "pyro run debian:1")
  })

  it("bash completes nothing if the cursor is inside a word", async () => {
    const line = "pyro workspace compare fix@gre"
    assert.strictEqual(await completed(`${line}\x1b[D`), line)
  })
})

describe.each(["zsh", "fish"] as const)("completion in %s", (shell) => {
  it.each([
    ["pyro mcp ", "pyro mcp serve"],
    ["pyro workspace delete fix ", "pyro workspace delete fix ws-0000000002"],
    ["pyro workspace snapshot delete fix r", "pyro workspace snapshot delete fix red"],
    ["pyro workspace exec fi", "pyro workspace exec fix"],
    ["pyro workspace compare fix@g", "pyro workspace compare fix@green"],
    ["pyro run deb", "pyro run debian:1"],
    ["pyro run debian:", "pyro run debian:1"],
    ["pyro workspace create --git f", "pyro workspace create --git full"],
    ["pyro workspace create --seed-path /et", "pyro workspace create --seed-path /etc/"]
  ])(`${shell} completes %j to %j`, async (line, expected) => {
    assert.strictEqual((await completed(line, "", shell))?.trimEnd(), expected)
  })
})

describe.each(["bash", "zsh", "fish"] as const)("completion of cp in %s", (shell) => {
  it(`${shell} adds no space after the name of a workspace`, async () => {
    assert.strictEqual(await completed("pyro cp notes fi", "", shell), "pyro cp notes fix:")
  })
})

describe.each(["bash", "zsh", "fish"] as const)("a name that a guest chose, in %s", (shell) => {
  it(`${shell} quotes it, so that the line does not run it`, async () => {
    const folder = join(binary.folder, "hostile")
    mkdirSync(folder, { recursive: true })
    const script = `#!/bin/sh\n[ "$1" != __complete ] || { echo 'src/$(touch pwned)'; exit; }\nexec ${bin}/pyro "$@"\n`
    writeFileSync(join(folder, "pyro"), script, { mode: 0o755 })
    const first = shell === "fish" ? `set -x PATH ${folder} $PATH` : `PATH=${folder}:$PATH`
    const line = await completed("pyro file read fix src/", first, shell)
    assert.match(String(line).trimEnd(), /^pyro file read fix src\/(\\\$\\\(touch\\ pwned\\\)|'\$\(touch pwned\)')$/)
  })
})

describe("completion in fish", () => {
  it("fish completes commands and workspaces for an empty word", () => {
    const listed = (line: string) =>
      execFileSync("fish", ["--no-config", "-c", "pyro completion fish | source; complete -C $argv[1]", line], {
        env,
        encoding: "utf8"
      }).trimEnd().split("\n").map((one) => one.split("\t", 1)[0])
    assert.includeMembers(listed("pyro "), ["run", "workspace"])
    assert.includeMembers(listed("pyro workspace "), ["create", "snapshot"])
    assert.deepStrictEqual(listed("pyro workspace exec "), ["fix", "ws-0000000002"])
  })
})

describe("the scripts", () => {
  it.each(["bash", "zsh", "fish"])("pyro completion prints the script for %s", async (shell) => {
    const { status, stdout } = await run(binary, ["completion", shell])
    assert.strictEqual(status, 0)
    assert.match(stdout.toString(), /__complete --/)
  })

  it("pyro completion --help names the shells and the set-up", async () => {
    assert.match((await run(binary, ["completion"])).stdout.toString(), /source <\(pyro completion bash\)/)
    const { status, stderr } = await run(binary, ["completion", "tcsh"])
    assert.deepStrictEqual([status, stderr], [
      2,
      "pyro: no completion for \"tcsh\"; there is one for bash, zsh, fish\nsee: pyro completion --help\n"
    ])
  })
})
