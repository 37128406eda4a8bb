import * as fs from "node:fs"
import * as path from "node:path"
import { assert } from "vitest"
import { hostInventory } from "./host/host-inventory.ts"
import { ownCache } from "./own-cache.ts"
import { pyro, type PyroOptions, temporaryFolder } from "./pyro-cli.ts"
import { knownAccelerator } from "./run/accelerator.ts"
import { openInstallations } from "./run/attempts.ts"
import { settlesAs } from "./settled.ts"

/** What `workspace status --json` and its like say of a workspace, as far as tests look. */
export interface Workspace {
  readonly id: string
  readonly name?: string
  readonly labels: Readonly<Record<string, string>>
  readonly state: string
  readonly detail?: string
  readonly last_activity_at: string
  readonly expires_at?: string
  readonly generation: number
}

export interface DaemonInfo {
  readonly running: boolean
  readonly pid?: number
  readonly vms: ReadonlyArray<
    { readonly id: string; readonly purpose: string; readonly workspace?: string; readonly pid?: number }
  >
}

/** Small, so that many fit and a template is made once for all. */
export const smallSizes = ["--mem-mib", "256", "--disk-mib", "512"] as const

/**
 * A pyro of a test's own, driven through the built command: its state directory is below a temporary folder, its daemon one that its
 * own first command starts.
 */
export const installation = (
  prefix: string,
  options: {
    readonly state?: string
    readonly env?: Readonly<Record<string, string>>
    /** `own`: templates and seeds are this installation's alone, so that what is half made of them counts as left. @default shared */
    readonly cache?: "own" | "shared"
    /** Words before each command. @default none */
    readonly enter?: ReadonlyArray<string>
  } = {}
) => {
  const { folder, remove } = temporaryFolder(prefix)
  const state = options.env?.["PYRO_STATE_DIR"] ?? path.join(folder, options.state ?? "state")
  const env: Readonly<Record<string, string>> = {
    PYRO_STATE_DIR: state,
    ...(options.cache === "own" && { PYRO_CACHE_DIR: ownCache(folder) }),
    // In the common cache the daemon finds the accelerator itself.
    ...((options.cache === "own" || options.env?.["PYRO_CACHE_DIR"] !== undefined) && knownAccelerator()),
    ...options.env
  }

  const call = (args: ReadonlyArray<string>, more: PyroOptions = {}) =>
    pyro(args, {
      ...(options.enter === undefined ? {} : { enter: options.enter }),
      ...more,
      env: { ...env, ...more.env }
    })

  /** Options end at `--`. */
  const withJson = (args: ReadonlyArray<string>) => {
    const end = args.indexOf("--")
    return end < 0 ? [...args, "--json"] : [...args.slice(0, end), "--json", ...args.slice(end)]
  }

  /** The result as JSON of a command that has to succeed. */
  const json = async <A>(args: ReadonlyArray<string>, more: PyroOptions = {}): Promise<A> => {
    const { code, stderr, stdout } = await call(withJson(args), more)
    assert.strictEqual(code, 0, `pyro ${args.join(" ")}: ${stdout.toString()}${stderr}`)
    return JSON.parse(stdout.toString()) as A
  }

  /** The error of a command that has to fail: its code, its message, and the fields of its kind. */
  const failure = async (args: ReadonlyArray<string>, more: PyroOptions = {}) => {
    const { code, stderr, stdout } = await call(withJson(args), more)
    assert.notStrictEqual(code, 0, `pyro ${args.join(" ")} was to fail: ${stdout.toString()}`)
    const document = JSON.parse(stdout.toString() || "{}") as {
      readonly error?: { readonly code: string; readonly message: string } & Readonly<Record<string, unknown>>
    }
    assert.isDefined(document.error, `pyro ${args.join(" ")}: ${stdout.toString()}${stderr}`)
    return document.error!
  }

  /** Told by its exit status alone: the attempt at a test that has left them has failed already. */
  const retried = { state, deleteWorkspaces: (ids: ReadonlyArray<string>) => call(["workspace", "delete", ...ids]) }
  openInstallations.add(retried)

  const create = async (args: ReadonlyArray<string>, more: PyroOptions = {}) =>
    (await json<{ readonly workspace: Workspace }>(
      ["workspace", "create", ...(args.includes("--disk-mib") ? args : [...smallSizes, ...args])],
      more
    )).workspace

  /** `stop`, `start` and `reset`. */
  const step = async (verb: "stop" | "start" | "reset", name: string, more: PyroOptions = {}) =>
    (await json<{ readonly workspace: Workspace }>(["workspace", verb, name], more)).workspace

  const status = (name: string) => json<Workspace>(["workspace", "status", name])

  const list = async (...args: ReadonlyArray<string>) =>
    (await json<{ readonly workspaces: ReadonlyArray<Workspace> }>(["workspace", "list", ...args])).workspaces

  /** Ids of all workspaces on the disk, also of builders, which no list has. */
  const workspaceIds = (): ReadonlyArray<string> => {
    const folder = path.join(state, "workspaces")
    return fs.existsSync(folder) ? fs.readdirSync(folder).filter((name) => name.startsWith("ws-")) : []
  }

  const logs = async (name: string) =>
    (await json<{ readonly commands: ReadonlyArray<{ readonly outcome: string }> }>(["workspace", "logs", name]))
      .commands

  /** What a shell script printed in a workspace; it has to succeed. */
  const sh = async (name: string, script: string) => {
    const { code, stderr, stdout } = await call(["workspace", "exec", name, "--", "sh", "-ec", script])
    assert.strictEqual(code, 0, `${script}: ${stdout.toString()}${stderr}`)
    return stdout.toString().trim()
  }

  const daemon = () => json<DaemonInfo>(["daemon", "status"])

  const daemonPid = async () => {
    const { pid } = await daemon()
    assert.isDefined(pid, "no daemon runs")
    return pid!
  }

  /** Runs one command with a daemon that kills itself at a point of it. */
  const killedAt = async (point: string, args: ReadonlyArray<string>) => {
    await json(["daemon", "stop"])
    const { code, stderr } = await call(args, { env: { PYRO_FAULT: point } })
    assert.notStrictEqual(code, 0, `${point} was not reached`)
    assert.match(stderr, /daemon/, point)
    assert.isFalse((await daemon()).running, `${point} was not reached`)
  }

  /** What a killed daemon's watchdog is still removing is waited for, since it is nobody's any more. */
  const directories = { state, cache: env["PYRO_CACHE_DIR"] }
  const inventory = () => {
    const isGoing = (line: string) => line.includes("/.swept-")
    let found = hostInventory(directories)
    for (let tries = 0; tries < 500 && found.some(isGoing); tries += 1) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
      found = hostInventory(directories)
    }
    return found
  }

  /** Ends everything and removes the folder; fails when something of a VM or a workspace is left. */
  const close = async () => {
    openInstallations.delete(retried)
    await json(["workspace", "delete", "--all"])
    await json(["daemon", "stop"])
    // Processes of VMs may end a moment after the program that had them.
    await settlesAs(() => inventory().filter((line) => /vm-|ws-/.test(line)), [], "something was left on the host")
      .finally(remove)
  }

  return {
    folder,
    state,
    env,
    call,
    json,
    failure,
    create,
    step,
    status,
    list,
    workspaceIds,
    logs,
    sh,
    daemon,
    daemonPid,
    killedAt,
    inventory,
    close
  } as const
}
export type Installation = ReturnType<typeof installation>

/** Pid of the VMM of a workspace's only VM. */
export const vmmOf = async ({ daemon, state }: Installation, workspace: string) => {
  const record = JSON.parse(
    fs.readFileSync(path.join(state, "workspaces", workspace, "record.json"), "utf8")
  ) as { readonly vm?: string }
  const found = (await daemon()).vms.find(({ id }) => id === record.vm)
  assert.isDefined(found?.pid, `no VMM of ${workspace}`)
  return found!.pid!
}

/** An inventory without what differs from one workspace or daemon to the next: ids, counters, logs. */
export const shapeOf = (inventory: ReadonlyArray<string>, state: string) =>
  inventory
    .filter((line) => !/\/logs\/[0-9a-f]{32}|\/daemon\/|\/vms$/.test(line))
    .map((line) =>
      line.replaceAll(state, "STATE").replaceAll(/vm-[a-z0-9]{12}/g, "VM").replaceAll(/ws-[0-9a-f]{10}/g, "WS")
        .replaceAll(/disk-\d+/g, "DISK")
    )
    .sort()
