import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { route, splitArgv } from "../../../src/cli/arguments/argv.ts"
import { parse } from "../../../src/cli/arguments/parser.ts"
import type { PyroPromises } from "../../../src/sdk/promises.ts"
import { pyroWords } from "./documented.ts"

/** Makes what examples copy out of a guest. */
const GUEST_FILES = "mkdir -p /tmp/report && echo ok > /tmp/report/index.html && echo started > /var/log/app.log"

/** The workspace that `pyro cp` is told, as NAME:PATH. */
const copied = (words: ReadonlyArray<string>) =>
  words.includes("cp") ? words.flatMap((word) => /^(\w[\w-]*):/.exec(word)?.[1] ?? []) : []

const EXEC_ID = "4f0c6a1e9b7d42c58f3e6a7b8c9d0e1f"

/** Operations that destroy nothing, after which the next example may not find the files or the command that it needs. */
const SPOILING: ReadonlySet<string> = new Set([
  "workspace.resize",
  "workspace.signal",
  "workspace.stdin",
  "workspace.file.rename",
  "workspace.patch.apply"
])

/**
 * Makes the workspaces, snapshots and commands that an example names, and removes those whose name it gives anew. A story begins with no
 * workspaces of the story before, but `keeps` those that an operation leaves as it may find them.
 */
export const preconditions = (
  { saved, workspace }: PyroPromises,
  { keeps = false, project }: { readonly project: string; readonly keeps?: boolean }
) => {
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
    const { annotations, name: operation } = routed.operation
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
    isChanged ||= annotations.destructive
      ? !keeps || operation !== "workspace.export"
      : !annotations.readOnly && (!keeps || SPOILING.has(operation))
  }
  return { prepare, restore } as const
}
