import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { delimiter, join } from "node:path"
import { assert, beforeAll, describe, it } from "vitest"
import { folderOf, WorkspaceId, type WorkspaceRecord, writeWorkspace } from "../../src/workspace/lifecycle/record.ts"
import { buildFake } from "./build-fake.ts"
import { run } from "./cli-process.ts"

const binary = buildFake()
const bin = join(binary.folder, "bin")

const record = (id: string, name: string | undefined, phase: WorkspaceRecord["phase"]): WorkspaceRecord => ({
  format: 1,
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
  createdAt: "2025-01-02T03:04:05.000Z"
})

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
  for (const name of ["green", "red", ".being-removed"]) mkdirSync(join(snapshots, name), { recursive: true })
})

/** What bash offers for a line as it splits it into words, the last of which is begun. */
const offered = (...words: ReadonlyArray<string>) =>
  execFileSync("bash", [
    "-c",
    `source <(pyro completion bash)
     COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
     _pyro pyro
     printf '%s\\n' "\${COMPREPLY[@]}"`,
    "bash",
    ...words
  ], {
    env: { ...process.env, ...binary.env, PATH: `${bin}${delimiter}${process.env["PATH"]}` },
    encoding: "utf8"
  }).split("\n").filter((line) => line !== "")

describe("completion in bash", () => {
  it("offers commands, flags and choices", () => {
    assert.deepStrictEqual(offered("pyro", "workspace", "fi"), ["file"])
    assert.deepStrictEqual(offered("pyro", "workspace", "create", "--vc"), ["--vcpu-count"])
    assert.deepStrictEqual(offered("pyro", "workspace", "create", "--git", "f"), ["full"])
  })

  it("offers the workspaces that are there, without a daemon", async () => {
    assert.deepStrictEqual(offered("pyro", "workspace", "exec", ""), ["fix", "ws-0000000002"])
    const { stdout } = await run(binary, ["daemon", "status", "--json"])
    assert.isFalse(JSON.parse(stdout.toString()).running)
  })

  it("offers a workspace's snapshots behind the @ at which bash splits", () => {
    assert.deepStrictEqual(offered("pyro", "workspace", "compare", "fix", "fix", "@"), ["green", "red"])
    assert.deepStrictEqual(offered("pyro", "workspace", "compare", "fix", "@", "g"), ["green"])
    assert.deepStrictEqual(offered("pyro", "workspace", "compare", "ws-0000000002", "@"), [])
  })

  it("offers what is behind the colon of a word that bash split there", () => {
    assert.include(offered("pyro", "run", "deb"), "debian:12")
    assert.include(offered("pyro", "run", "debian", ":"), "12")
    assert.include(offered("pyro", "run", "debian", ":", "1"), "12")
  })
})

describe("the scripts", () => {
  it.each(["bash", "zsh", "fish"])("for %s is printed", async (shell) => {
    const { status, stdout } = await run(binary, ["completion", shell])
    assert.strictEqual(status, 0)
    assert.match(stdout.toString(), /__complete --/)
  })

  it("tell how to set them up, and which there are", async () => {
    assert.match((await run(binary, ["completion"])).stdout.toString(), /source <\(pyro completion bash\)/)
    const { status, stderr } = await run(binary, ["completion", "tcsh"])
    assert.deepStrictEqual([status, stderr], [
      2,
      "pyro: no completion for \"tcsh\"; there is one for bash, zsh, fish\nsee: pyro completion --help\n"
    ])
  })
})
