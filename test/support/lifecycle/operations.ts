import * as fs from "node:fs"
import * as path from "node:path"
import { assert } from "vitest"
import type { WorkspacesClient } from "./workspaces-client.ts"

/** What a workspace is, as far as the suites look. */
interface Info {
  readonly id: string
  readonly name?: string
  readonly state: string
  readonly detail?: string
  readonly generation: number
  readonly diskMib: number
  readonly secrets?: ReadonlyArray<string>
  readonly secretHttp?: ReadonlyArray<string>
  readonly secretCommands?: ReadonlyArray<string>
  readonly ports?: ReadonlyArray<object>
  readonly running?: ReadonlyArray<{ readonly execId: string; readonly pid?: number }>
  readonly services?: object
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly shells?: number
  readonly network?: {
    readonly networkPolicy: string
    readonly allowHosts: ReadonlyArray<string>
    readonly allowOnce?: ReadonlyArray<string>
  }
}

interface Ran {
  readonly stdout: string
  readonly status?: number
  readonly execId: string
  readonly pid?: number
  readonly notices: ReadonlyArray<string>
}

interface Logged {
  readonly execId: string
  readonly pid?: number
  readonly outcome: string
  readonly status?: number
  readonly inherited?: boolean
}

const read = (file: string) => JSON.parse(fs.readFileSync(file, "utf8")) as Record<string, unknown>

/** Operations on workspaces, in the words of the suites. */
export const operations = (client: () => WorkspacesClient) => {
  const call = <A>(...args: Parameters<WorkspacesClient["call"]>) => client().call(...args) as Promise<A>
  const exec = (workspace: string, script: string, more: object = {}) =>
    call<Ran>("exec", { workspace, command: ["sh", "-ec", script], ...more })
  return {
    call,
    exec,
    create: (name: string, more: object = {}) => call("create", { name, memory_mib: 256, disk_mib: 512, ...more }),
    status: (workspace: string) => call<Info>("status", { workspace }),
    list: () => call<ReadonlyArray<Info>>("list"),
    remove: (...workspaces: ReadonlyArray<string>) => call("delete", { workspaces }),
    /** What a script prints, which has to succeed. */
    sh: async (workspace: string, script: string, more: object = {}) => {
      const { status, stdout } = await exec(workspace, script, more)
      assert.strictEqual(status, 0, `${script}: ${stdout}`)
      return stdout.trim()
    },
    /** Starts a script that goes on, and gives its id. */
    startProgram: async (workspace: string, script: string) => (await exec(workspace, script, { detach: true })).execId,
    logs: async (workspace: string) =>
      (await call<{ readonly commands: ReadonlyArray<Logged> }>("logs", { workspace })).commands,
    /** Kinds of the snapshots, by name. */
    snapshots: async (workspace: string) => {
      const all = await call<ReadonlyArray<{ readonly name: string; readonly kind: string }>>("snapshots", {
        workspace
      })
      return Object.fromEntries(all.map(({ kind, name }) => [name, kind]))
    },
    /** Kinds of the saved snapshots, by name. */
    saved: async () => {
      const all = await call<ReadonlyArray<{ readonly name: string; readonly kind: string }>>("saved")
      return Object.fromEntries(all.map(({ kind, name }) => [name, kind]))
    },
    /** Every VM on the host, and its process. */
    vmsNow: () => {
      const folder = path.join(client().state, "vms")
      return fs.readdirSync(folder).flatMap((id) => {
        try {
          const record = read(path.join(folder, id, "record.json"))
          return [{ id, process: (record["qemu"] as { readonly pid: number }).pid }]
        } catch {
          return [] // half made, or half removed
        }
      })
    },
    /** Process of the workspace's VM. */
    vmProcess: (id: string) => {
      const { vm } = read(path.join(client().state, "workspaces", id, "record.json"))
      return (read(path.join(client().state, "vms", String(vm), "record.json"))["qemu"] as { readonly pid: number }).pid
    }
  } as const
}
