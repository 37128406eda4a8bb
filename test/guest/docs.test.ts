import { Effect } from "effect"
import { execFile, execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { promisify } from "node:util"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { route, splitArgv } from "../../src/cli/arguments/argv.ts"
import { parse } from "../../src/cli/arguments/parser.ts"
import { layer } from "../../src/sdk/installed.ts"
import { makePromises, type PyroPromises } from "../../src/sdk/promises.ts"
import { bashSession } from "../support/bash-session.ts"
import { blocksOf, isAsShown, isRun, pages, pyroWords, sessions, smokePages, stories } from "../support/documented.ts"
import { installation } from "../support/installation.ts"
import { sharedCache } from "../support/own-cache.ts"
import { pyroPath } from "../support/pyro-cli.ts"

const root = path.resolve(import.meta.dirname, "../..")

/** Commands whose point is another status than 0. */
const STATUSES: ReadonlyMap<string, number> = new Map([
  ["pyro run debian:12 --timeout-seconds 5 sleep 60", 124],
  ["pyro run debian:12 --json ls /nowhere", 2],
  // This host has no Codex, and the story before has taken the entry away.
  ["pyro host doctor codex", 1],
  ["pyro host repair codex --dry-run", 2]
])

/** Pages with a test of their own, which compares the output, too. The one of docs/docker.md is test/clients/docker.test.ts. */
const isToldElsewhere = (page: string) =>
  page === "docs/first-run.md" || page === "docs/docker.md" || smokePages.includes(page)

const own = installation("pyro-docs-")
const project = path.join(own.folder, "project")
const original = path.join(own.folder, "original")
const bin = path.join(own.folder, "bin")
const env = {
  ...process.env,
  ...own.env,
  HOME: path.join(own.folder, "home"),
  PATH: `${bin}:${process.env["PATH"]}`,
  PYRO_CACHE_DIR: sharedCache,
  PYRO_REWIND_MIB: "2048",
  PYRO_REWIND_EVERY_MS: "0",
  PYRO_POOL_MEMBERS: "2",
  NO_COLOR: "1",
  NPM_TOKEN: "the token of a registry",
  GH_TOKEN: "the token of a forge",
  ANTHROPIC_API_KEY: "the key of a model"
}

/** Files of the project that git ignores, in this repository too. */
const IGNORED = {
  "build/run-tests": "#!/bin/sh\necho ok\n",
  "build/report.html": "<p>ok</p>\n",
  "dist/app.js": "1\n",
  "node_modules/greet/index.js": "1\n",
  ".venv/lib/python3.11/site-packages/greet.py": "pass\n"
}

const makeProject = () => {
  fs.cpSync(path.join(root, "test/fixtures/docs-project"), original, { recursive: true })
  for (const [file, text] of Object.entries({ ...IGNORED, ".env": "COLOUR=blue\n" })) {
    fs.mkdirSync(path.dirname(path.join(original, file)), { recursive: true })
    fs.writeFileSync(path.join(original, file), text, { mode: 0o755 })
  }
  const git = (...args: ReadonlyArray<string>) => execFileSync("git", args, { cwd: original })
  git("init", "-q")
  git("add", ".")
  git("-c", "user.name=you", "-c", "user.email=you@example.org", "commit", "-q", "-m", "Start")
}

/** The project as each story finds it. */
const freshProject = () => {
  fs.rmSync(project, { recursive: true, force: true })
  fs.cpSync(original, project, { recursive: true })
}

/** Makes what examples copy out of a guest. */
const GUEST_FILES = "mkdir -p /tmp/report && echo ok > /tmp/report/index.html && echo started > /var/log/app.log"

/** The workspace that `pyro cp` is told, as NAME:PATH. */
const copied = (words: ReadonlyArray<string>) =>
  words.includes("cp") ? words.flatMap((word) => /^(\w[\w-]*):/.exec(word)?.[1] ?? []) : []

const EXEC_ID = "4f0c6a1e9b7d42c58f3e6a7b8c9d0e1f"

/** Makes the workspaces, snapshots and commands that an example names, and removes those whose name it gives anew. */
const preconditions = ({ saved, workspace }: PyroPromises) => {
  const names = async () => (await workspace.list()).workspaces.map(({ id, name }) => name ?? id)
  const absent = async (unwanted: (name: string) => boolean) => {
    const found = (await names()).filter(unwanted)
    if (found.length > 0) await workspace.delete({ workspaces: found })
  }
  /** Workspaces that an example needed to be stopped. */
  const stopped = new Set<string>()
  const exists = async (name: string) => {
    if ((await names()).includes(name)) return
    stopped.delete(name)
    await workspace.create({ name, seedPath: project, includeIgnored: ["build", "dist"] })
    await workspace.exec({ workspace: name, script: GUEST_FILES })
    // So that two of them differ.
    if (name !== "try-1") await workspace.file.write({ workspace: name, path: "src/new.py", text: "# new\n" })
  }
  const snapshot = async (of: string, name: string, wanted: boolean) => {
    const { snapshots } = await workspace.snapshot.list({ workspace: of })
    if (snapshots.some((one) => one.name === name) === wanted) return
    await (wanted ? workspace.snapshot.create : workspace.snapshot.delete)({ workspace: of, name })
  }
  const savedAs = async (name: string, wanted: boolean) => {
    const found = await saved.list()
    if (found.saved.some((one) => one.name === name) === wanted) return
    if (!wanted) return saved.delete({ names: [name] })
    await exists("fix")
    await run("fix", true)
    await workspace.snapshot.save({ workspace: "fix", name })
  }
  /** An import of one that this host has not, from a file that is there. */
  const importable = async (file: string, as: string) => {
    await savedAs("warm", true)
    if (!fs.existsSync(file)) await saved.export({ name: "warm", output: file })
    await savedAs("warm", false)
    await savedAs(as, false)
  }
  const service = async (of: string, name: string, wanted: boolean) => {
    const { services } = await workspace.service.list({ workspace: of })
    const runs = services.some((one) => one.name === name && !["exited", "failed", "stopped"].includes(one.state))
    if (runs === wanted) return
    await (wanted
      ? workspace.service.start({ workspace: of, name, command: ["sleep", "600"] })
      : workspace.service.stop({ workspace: of, name }))
  }
  const run = async (name: string, wanted: boolean) => {
    if (wanted === !stopped.has(name)) return
    await (wanted ? workspace.start : workspace.stop)({ workspace: name })
    if (wanted) stopped.delete(name)
    else stopped.add(name)
  }
  /** Whether an example of before may have left other files or workspaces than the next one expects. */
  let isChanged = false
  const restore = async () => {
    if (isChanged || stopped.size > 0) await absent(() => true)
    isChanged = false
    stopped.clear()
  }
  const prepare = async (call: ReadonlyArray<string>) => {
    const words = pyroWords(call)
    if (words === undefined) return
    for (const name of copied(words)) {
      await exists(name)
      await workspace.exec({ workspace: name, script: GUEST_FILES })
    }
    const { own: before, rest } = splitArgv(words)
    const routed = route(before)
    if (routed._tag !== "Operation") return
    const { raw } = await Effect.runPromise(parse(routed.operation, routed.words, rest))
    const text = (field: string) => typeof raw[field] === "string" ? raw[field] : undefined
    const { name: operation } = routed.operation
    const named = text("name")
    const names = ["workspace.create", "workspace.fork", "workspace.rename"]
    if (named !== undefined && names.includes(operation)) {
      await absent((one) => one === named || one.startsWith(`${named}-`))
    }
    const wanted = [
      text("workspace"),
      ...((raw["workspaces"] ?? []) as ReadonlyArray<string>),
      text("from"),
      text("to")
    ]
    for (const one of wanted) {
      if (one === undefined) continue
      const [which = "", taken] = one.split("@")
      await exists(which)
      if (taken !== undefined) await snapshot(which, taken, true)
    }
    const target = text("workspace") ?? ""
    if (operation === "workspace.start" || operation === "workspace.stop") stopped.delete(target)
    else if (
      operation.startsWith("workspace.disk.") || raw["disk_mib"] !== undefined && operation === "workspace.update"
    ) {
      const { state } = await workspace.status({ workspace: target })
      if (state === "running") await run(target, false)
    } else if (target !== "") await run(target, true)
    if (operation === "workspace.snapshot.save") await savedAs(named ?? "", false)
    if (text("from_snapshot") !== undefined) await savedAs(text("from_snapshot")!, true)
    if (operation === "saved.import") await importable(path.join(project, text("source_path")!), named ?? "warm")
    else if (operation === "saved.delete") {
      for (const one of (raw["names"] ?? []) as ReadonlyArray<string>) await savedAs(one, true)
    } else if (operation.startsWith("saved.") && named !== undefined) await savedAs(named, true)
    if (operation === "workspace.snapshot.create") await snapshot(target, named ?? "", false)
    if (operation === "workspace.snapshot.delete") await snapshot(target, named ?? "", true)
    if (text("snapshot") !== undefined) await snapshot(target, text("snapshot")!, true)
    if (operation === "workspace.port.unpublish") {
      await workspace.port.publish({ workspace: target, port: String(raw["guest_port"]) })
    }
    if (text("exec_id") === EXEC_ID) {
      const tty = operation === "workspace.resize"
      const openStdin = operation === "workspace.stdin"
      const command = openStdin ? ["cat"] : ["sleep", "600"]
      await workspace.exec({ workspace: target, execId: EXEC_ID, detach: true, tty, openStdin, command })
    }
    if (operation === "workspace.rewind" || text("at") !== undefined) {
      const { commands } = await workspace.history({ workspace: target })
      const undo = text("before") ?? text("at")
      const missing = Math.max(0, (typeof raw["steps"] === "number" ? raw["steps"] : 1) - commands.length)
      for (let number = 0; number < missing; number++) {
        await workspace.exec({ workspace: target, script: `echo ${number} > /tmp/step` })
      }
      if (undo === EXEC_ID && !commands.some(({ execId }) => execId === EXEC_ID)) {
        await workspace.exec({ workspace: target, execId: EXEC_ID, script: "echo last > /tmp/step" })
      }
    }
    if (operation.startsWith("workspace.service.") && operation !== "workspace.service.list") {
      await service(target, named ?? "", operation !== "workspace.service.start")
    }
    isChanged ||= !routed.operation.annotations.readOnly
  }
  return { prepare, restore } as const
}

describe("every command and example of the documents runs", { concurrent: false }, () => {
  let pyro: PyroPromises
  let state: ReturnType<typeof preconditions>
  beforeAll(() => {
    const fixtures = path.join(own.folder, "fixtures")
    for (const made of [bin, fixtures, env.HOME, path.join(env.HOME, "datasets"), path.join(env.HOME, "results")]) {
      fs.mkdirSync(made)
    }
    fs.writeFileSync(path.join(fixtures, "users.json"), "[]\n")
    fs.mkdirSync(path.join(env.HOME, ".ssh"))
    fs.writeFileSync(path.join(env.HOME, ".ssh", "deploy"), "the key of a deployment\n")
    fs.writeFileSync(path.join(env.HOME, ".gitconfig"), "[user]\n\tname = you\n\temail = you@example.org\n")
    const quoted = [process.execPath, pyroPath].map((word) => `'${word}'`).join(" ")
    fs.writeFileSync(path.join(bin, "pyro"), `#!/bin/sh\nexec ${quoted} "$@"\n`, { mode: 0o755 })
    process.env["PYRO_STATE_DIR"] = own.state
    Object.assign(process.env, {
      PYRO_REWIND_MIB: env.PYRO_REWIND_MIB,
      PYRO_REWIND_EVERY_MS: env.PYRO_REWIND_EVERY_MS,
      PYRO_POOL_MEMBERS: env.PYRO_POOL_MEMBERS
    })
    makeProject()
    pyro = makePromises(layer)
    state = preconditions(pyro)
  })
  afterAll(async () => {
    await pyro.close()
    await own.close()
  })

  const told = stories.flatMap(({ commands, page }) => {
    const run = commands.filter(isRun)
    return run.length === 0 || isToldElsewhere(page) ? [] : [[page, run[0]!.text, run] as const]
  }).filter(([page, , run], at, all) => {
    // An example of a help text that a page shows, too, has run when its turn comes.
    const hasRun = new Set(all.slice(0, at).flatMap(([, , before]) => before.map(({ text }) => text)))
    return !page.endsWith("--help") || !run.every(({ text }) => hasRun.has(text))
  })
  it.each(told)(
    "the commands of %s run: %s",
    async (_page, first, commands) => {
      const { prepare, restore } = state
      await restore()
      freshProject()
      const shell = bashSession({ cwd: project, env })
      try {
        for (const { calls, text } of commands) {
          for (const call of calls) await prepare(call)
          // Something to send: the work went on after the workspace was made.
          if (text === first) fs.appendFileSync(path.join(project, "test/cases.txt"), "one more\n")
          if (text.includes("$DIGEST")) {
            const { digest } = await pyro.workspace.diff({ workspace: "fix" })
            await shell.run(`DIGEST=${digest}`)
          }
          if (text.includes("$SHELL_ID") && !text.includes("SHELL_ID=")) {
            const { shellId } = await pyro.workspace.shell.open({ workspace: "fix" })
            await shell.run(`SHELL_ID=${shellId}`)
          }
          const { output, status } = await shell.run(text)
          assert.strictEqual(status, STATUSES.get(text) ?? 0, `${text}\n${output}`)
        }
      } finally {
        await shell.close()
      }
    }
  )

  it.each(sessions.map(({ page, steps }) => [page, steps] as const))(
    "%s shows the output of its recorded session",
    async (_page, steps) => {
      await state.restore()
      freshProject()
      execFileSync("git", ["clean", "-fdxq"], { cwd: project })
      const shell = bashSession({ cwd: project, env })
      try {
        for (const { command, output } of steps) {
          for (const call of command.calls) await state.prepare(call)
          const lines = (await shell.run(command.text)).output.split("\n").slice(0, -1)
          const isSame = lines.length === output.length && lines.every((line, n) => isAsShown(line, output[n]!))
          assert.isTrue(isSame, `${command.text}\nprints:\n${lines.join("\n")}\nthe page shows:\n${output.join("\n")}`)
        }
      } finally {
        await shell.close()
      }
    }
  )

  const programs = pages.flatMap(({ page, text }) =>
    blocksOf(text, "ts").map((program, at) => [`${page}, program ${at + 1}`, program] as const)
  )
  it.each(programs)("the example %s runs without an error", async (_, program) => {
    freshProject()
    const found = (await pyro.workspace.list()).workspaces.filter(({ name }) => name === "fix")
    if (found.length > 0) await pyro.workspace.delete({ workspaces: ["fix"] })
    // Beneath the clone, so that "pyro" is what the examples of the clone import.
    const folder = fs.mkdtempSync(path.join(root, "dist/docs-"))
    try {
      const file = path.join(folder, "program.ts")
      fs.writeFileSync(file, program)
      const run = promisify(execFile)
      const { stderr } = await run(process.execPath, [path.join(root, "scripts/example.mjs"), file], {
        cwd: project,
        env
      })
      assert.notInclude(stderr, "Error")
    } finally {
      fs.rmSync(folder, { recursive: true })
    }
  })
})
