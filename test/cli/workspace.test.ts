import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, assert, describe, it } from "vitest"
import { buildFake } from "./build-fake.ts"
import { onTerminal, run, shell } from "./cli-process.ts"

const binary = buildFake()
const pyro = async (...args: ReadonlyArray<string>) => told(await run(binary, args))
const told = ({ status, stderr, stdout }: Awaited<ReturnType<typeof run>>) => ({
  status,
  stderr,
  stdout: stdout.toString()
})
const json = async (...args: ReadonlyArray<string>) => {
  const { status, stderr, stdout } = await pyro(...args, "--json")
  assert.strictEqual(stderr, "")
  return { status, document: JSON.parse(stdout) }
}
const create = async (...args: ReadonlyArray<string>) =>
  (await pyro("workspace", "create", "--id-only", ...args)).stdout.trim()
const env = (variables: Readonly<Record<string, string>>) => ({ env: variables })

afterEach(() => pyro("workspace", "delete", "--all"))

describe("create", () => {
  it("create prints only the id on stdout, and the next command on stderr", async () => {
    const { status, stderr, stdout } = await pyro("workspace", "create", "--name", "fix")
    assert.strictEqual(status, 0)
    assert.match(stdout, /^ws-\d{10}\n$/)
    assert.strictEqual(
      stderr,
      "pyro: seeding\npyro: warning: 1 file skipped\nfix is ready. Use it: pyro exec fix ls\n"
    )
  })

  it("create --quiet prints only the id", async () => {
    const { stderr, stdout } = await pyro("workspace", "create", "--quiet")
    assert.match(stdout, /^ws-\d{10}\n$/)
    assert.strictEqual(stderr, "")
  })

  it("create --json prints the workspace and the warnings", async () => {
    const { document, status } = await json(
      "workspace",
      "create",
      "--name",
      "fix",
      "--label",
      "a=1",
      "--seed-path",
      "."
    )
    assert.strictEqual(status, 0)
    assert.deepStrictEqual(document.warnings, [{ message: "1 file skipped" }])
    assert.deepInclude(document.workspace, {
      name: "fix",
      labels: { a: "1" },
      state: "running",
      memory_mib: 1024,
      seed_path: process.cwd()
    })
  })

  it("create exits with 1 if the name is taken", async () => {
    const id = await create("--name", "fix")
    const { status, stderr } = await pyro("workspace", "create", "--name", "fix")
    assert.strictEqual(status, 1)
    assert.include(stderr, `pyro: the name "fix" belongs to ${id}`)
  })
})

describe("prepare", () => {
  it("prepare names what is ready", async () => {
    const { stdout } = await pyro("prepare")
    assert.strictEqual(
      stdout,
      "debian:12 is ready\npyro is ready. Create a workspace: pyro create --seed-path .\n"
    )
    const { document } = await json("prepare", "a", "b")
    assert.deepStrictEqual(document.environments.map(({ name }: { readonly name: string }) => name), ["a", "b"])
  })
})

describe("list and status", () => {
  it("list shows workspaces by label, newest first", async () => {
    const first = await create("--label", "task=1")
    const second = await create("--label", "task=1", "--name", "fix")
    await create()
    const { stdout } = await pyro("workspace", "list", "--label", "task=1")
    const [head, ...rows] = stdout.trimEnd().split("\n")
    assert.match(head ?? "", /^ID +NAME +STATE +ENVIRONMENT +NETWORK +LAST USED +LABELS$/)
    assert.deepStrictEqual(rows.map((row) => row.split(/ +/).slice(0, 3)), [
      [second, "fix", "running"],
      [first, "-", "running"]
    ])
    const { document } = await json("workspace", "list")
    assert.strictEqual(document.workspaces.length, 3)
  })

  it("list shows a problem of a workspace in its row, such as a full host disk", async () => {
    const id = await create("fake:panics")
    await create("--name", "well")
    const [head = "", ...rows] = (await pyro("workspace", "list")).stdout.trimEnd().split("\n")
    assert.match(head, /LABELS +DETAIL$/)
    assert.match(rows.find((row) => row.startsWith(id)) ?? "", / the guest's kernel panicked: x+…$/)
    assert.match(rows.find((row) => row.includes("well")) ?? "", /(now|ago)$/)
  })

  it("list distinguishes no workspaces from no workspaces with these labels", async () => {
    await create("--label", "task=1")
    assert.deepStrictEqual(await pyro("workspace", "list", "--label", "task=2", "--label", "nope=1"), {
      status: 0,
      stdout: "",
      stderr: "no workspace has these labels: task=2 nope=1\n"
    })
  })

  it("status shows the reason of a failure in one row, and the console beneath", async () => {
    const id = await create("fake:panics")
    const { stdout } = await pyro("workspace", "status", id)
    const rows = stdout.split("\n")
    assert.match(rows[2] ?? "", /^state +failed: the guest's kernel panicked: x+…$/)
    assert.isBelow(rows[2]?.length ?? 0, 230)
    assert.deepStrictEqual(rows.slice(rows.findIndex((row) => /^labels +-$/.test(row)) + 1), [
      "  end of the guest's console:",
      "  [1.0] Kernel panic",
      String.raw`  labels  mine\x1b[31m`,
      ""
    ])
    const { document } = await json("workspace", "status", id)
    assert.match(
      document.detail,
      /^the guest's kernel panicked: x{300}\nend of .*\r\n\[1\.0\] Kernel panic\r\nlabels .*\r\n$/
    )
  })

  it("an unknown name gets the closest name as a suggestion", async () => {
    await create("--name", "parser")
    const { status, stderr } = await pyro("workspace", "status", "praser")
    assert.deepStrictEqual([status, stderr], [
      1,
      `pyro: no workspace "praser". Did you mean parser? List workspaces: pyro list\n`
    ])
    const { document } = await json("workspace", "status", "praser")
    assert.deepInclude(document.error, { code: "workspace_not_found", workspace: "praser", similar: ["parser"] })
  })
})

describe("on a terminal", () => {
  const listed = async (line: string) => {
    await create("--name", "fix", "--label", `note=${"x".repeat(150)}`)
    const { ended, screen } = onTerminal(binary, line, ["workspace", "list"])
    assert.strictEqual(await ended, 0)
    return screen()
  }

  it("a table on a terminal has colours and fits the width", async () => {
    const screen = await listed(`"$@"`)
    assert.include(screen, "\u001b[32mrunning\u001b[0m")
    for (const row of screen.replace(/\u001b\[\d+m/g, "").split("\r\n")) assert.isAtMost([...row].length, 100, row)
  })

  it("a table has no colours with NO_COLOR", async () => {
    assert.notInclude(await listed(`NO_COLOR=1 "$@"`), "\u001b")
  })
})

describe("exec", () => {
  it("exec refuses two commands, and none", async () => {
    await create("--name", "fix")
    const both = await pyro("workspace", "exec", "fix", "--script", "echo a", "--", "echo", "b")
    assert.deepStrictEqual([both.status, both.stdout], [2, ""])
    assert.match(both.stderr, /^pyro: command: cannot be combined with a script\nsee: pyro exec --help\n$/)
    assert.strictEqual((await pyro("workspace", "exec", "fix")).status, 2)
  })

  it("exec passes on output and exit status", async () => {
    await create("--name", "fix")
    assert.deepStrictEqual(
      await pyro("workspace", "exec", "fix", "--", "sh", "-c", "echo out; echo err >&2; exit 7"),
      { status: 7, stdout: "out\n", stderr: "err\n" }
    )
  })

  it("exec --interactive passes the whole stdin through the daemon", async () => {
    await create("--name", "fix")
    const input = Buffer.alloc(3_000_000, "0123456789abcde\n")
    const { status, stdout } = await run(binary, ["workspace", "exec", "fix", "--interactive", "--", "cat"], { input })
    assert.strictEqual(status, 0)
    assert.isTrue(stdout.equals(input))
  })

  it("exec leaves stdin to a shell loop around it without --interactive", async () => {
    await create("--name", "fix")
    const loop = `while read -r name; do "$@" workspace exec fix -- cat; echo "had $name"; done`
    const { stdout } = await shell(binary, `printf 'a\\nb\\nc\\n' | (${loop})`, [])
    assert.strictEqual(stdout.toString(), "had a\nhad b\nhad c\n")
  })

  it("exec distinguishes pyro's failures from the command's statuses", async () => {
    await create("--name", "fix")
    const status = async (...args: ReadonlyArray<string>) => (await pyro("workspace", "exec", ...args)).status
    assert.strictEqual(await status("none", "--", "true"), 125)
    assert.strictEqual(await status("fix", "--", "no-such-command"), 127)
    assert.strictEqual(await status("fix", "--", "/etc/passwd"), 126)
    assert.strictEqual(await status("fix", "--timeout-seconds", "0.3", "--", "sleep", "600"), 124)
    assert.strictEqual(await status("fix", "--timeout-seconds", "0", "--", "true"), 2)
    assert.strictEqual(await status("fix"), 2)
  })

  it("exec --json prints one document", async () => {
    await create("--name", "fix")
    const { stdout } = await pyro("workspace", "exec", "fix", "--json", "--", "sh", "-c", "echo out; exit 3")
    assert.deepInclude(JSON.parse(stdout), { outcome: "exited", status: 3, stdout: "out\n", truncated: false })
  })

  const ID = "0123456789abcdef".repeat(2)

  it("exec --wait-seconds prints on stderr how to follow a running command", async () => {
    await create("--name", "fix")
    const script = "echo out; exec sleep 600"
    assert.deepStrictEqual(
      await pyro(
        "workspace",
        "exec",
        "fix",
        "--exec-id",
        ID,
        "--wait-seconds",
        "1",
        "--quiet",
        "--",
        "sh",
        "-c",
        script
      ),
      {
        status: 75,
        stdout: "out\n",
        stderr: `pyro: still running; come back with: pyro exec fix --exec-id ${ID} --cursor 4\n`
      }
    )
    assert.deepStrictEqual(
      await pyro("workspace", "exec", "fix", "--wait-seconds", "60", "--", "echo", "out"),
      { status: 0, stdout: "out\n", stderr: "" }
    )
  })

  it("exec --wait-seconds exits with 75 if the command still runs, and --id-only prints only its id", async () => {
    await create("--name", "fix")
    const wait = (flag: string) =>
      pyro(
        "workspace",
        "exec",
        "fix",
        "--exec-id",
        ID,
        "--wait-seconds",
        "0.3",
        flag,
        "--",
        "sh",
        "-c",
        "echo out; exec sleep 600"
      )
    assert.deepStrictEqual(await wait("--id-only"), { status: 75, stdout: `${ID}\n`, stderr: "" })
    const { status, stdout } = await wait("--json")
    assert.deepInclude(JSON.parse(stdout), { exec_id: ID, outcome: "running" })
    assert.strictEqual(status, 75)
  })

  it("exec --detach prints only the id", async () => {
    await create("--name", "fix")
    assert.deepStrictEqual(
      await pyro("workspace", "exec", "fix", "--exec-id", ID, "--detach", "--", "sh", "-c", "echo out; exec sleep 600"),
      { status: 0, stdout: `${ID}\n`, stderr: "" }
    )
  })
})

describe("PYRO_WORKSPACE", () => {
  it("PYRO_WORKSPACE names the workspace of commands without one", async () => {
    const id = await create("--name", "fix")
    const mine = (...args: ReadonlyArray<string>) => run(binary, args, env({ PYRO_WORKSPACE: "fix" })).then(told)
    assert.deepStrictEqual(await mine("workspace", "exec", "--", "echo", "x"), { status: 0, stdout: "x\n", stderr: "" })
    assert.match((await mine("workspace", "status")).stdout, new RegExp(`^id +${id}\n`))
    assert.match(
      (await mine("workspace", "delete")).stderr,
      /^pyro: workspaces: missing; or give --all\. Usage: pyro delete <workspaces>\. List them: pyro list\n/
    )
    assert.strictEqual((await mine("workspace", "delete", "fix")).stdout, "deleted fix\n")
  })
})

describe("files", () => {
  it("file write from a pipe and file read return the same bytes", async () => {
    await create("--name", "fix")
    const bytes = Buffer.from([0, 255, 10, 13])
    const written = await run(binary, ["workspace", "file", "write", "fix", "a"], { input: bytes })
    assert.deepStrictEqual(told(written), { status: 0, stdout: "", stderr: "a: created, version 0123456789abcdef\n" })
    const read = await run(binary, ["workspace", "file", "read", "fix", "a", "--output", "-"])
    assert.deepStrictEqual([read.status, read.stdout, read.stderr], [0, bytes, ""])
    const large = Buffer.alloc(20_000_000, bytes)
    assert.strictEqual((await run(binary, ["file", "write", "fix", "large"], { input: large })).status, 0)
    const piped = await run(binary, ["file", "read", "fix", "large"])
    assert.deepStrictEqual([piped.status, piped.stdout.equals(large), piped.stderr], [0, true, ""])
  })

  it("file write and patch apply read files of the host", async () => {
    await create("--name", "fix")
    const path = join(binary.folder, "text")
    writeFileSync(path, "é\n")
    const { status } = await pyro("workspace", "file", "write", "fix", "a", "--text-file", path, "--quiet")
    assert.strictEqual(status, 0)
    const { stdout } = await pyro("workspace", "file", "read", "fix", "a", "--output", "-")
    assert.strictEqual(stdout, "é\n")
    const missing = await pyro("workspace", "file", "write", "fix", "a", "--from", join(binary.folder, "none"))
    assert.strictEqual(missing.status, 2)
    assert.include(missing.stderr, "cannot be read: there is no such file")
  })
})

describe("delete", () => {
  it("delete takes several names, or --all", async () => {
    const [a, , c] = [await create(), await create("--name", "b"), await create()]
    assert.strictEqual((await pyro("workspace", "delete", a, "b")).stdout, `deleted ${a}\ndeleted b\n`)
    assert.deepStrictEqual((await json("workspace", "delete", "--all")).document, { deleted: [c], names: [c] })
    assert.deepStrictEqual(await pyro("workspace", "list"), {
      status: 0,
      stdout: "",
      stderr: "no workspaces; create one: pyro create\n"
    })
  })

  it("delete requires a name or --all", async () => {
    const { status, stderr } = await pyro("workspace", "delete")
    assert.strictEqual(status, 2)
    assert.match(
      stderr,
      /^pyro: workspaces: missing; or give --all\. Usage: pyro delete <workspaces>\. List them: pyro list\n/
    )
  })
})
