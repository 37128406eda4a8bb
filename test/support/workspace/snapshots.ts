import type { Installation, Workspace } from "../installation.ts"
import { until } from "../pyro-cli.ts"

export interface Snapshot {
  readonly name: string
  readonly kind: "memory" | "disk"
  readonly durable: boolean
  readonly running_commands: number
  readonly pause_ms?: number
}

export interface Logged {
  readonly exec_id: string
  readonly outcome: string
  readonly inherited?: boolean
}

/** What a guest is, a line each; no two machines share one of them. */
export const identityScript = "head -c 16 /dev/urandom | od -An -tx1; cat /etc/machine-id " +
  "/proc/sys/kernel/random/boot_id /run/pyro/generation; hostname"

/** Snapshots and forks of an installation's workspaces. */
export const snapshots = ({ json }: Installation) => {
  const snapshot = async (workspace: string, name: string) =>
    (await json<{ readonly snapshot: Snapshot }>(["workspace", "snapshot", "create", workspace, name])).snapshot
  const list = async (workspace: string) =>
    (await json<{ readonly snapshots: ReadonlyArray<Snapshot> }>(["workspace", "snapshot", "list", workspace]))
      .snapshots
  const kinds = async (workspace: string) =>
    Object.fromEntries((await list(workspace)).map(({ kind, name }) => [name, kind]))
  /** Waits until a snapshot is on disk for good. */
  const durable = (workspace: string, name: string) =>
    until(`${name} is durable`, async () => (await list(workspace)).some((one) => one.name === name && one.durable))
  const fork = async (workspace: string, ...args: ReadonlyArray<string>) =>
    (await json<{ readonly workspaces: ReadonlyArray<Workspace & { readonly forked_from?: string }> }>(
      ["workspace", "fork", workspace, ...args]
    )).workspaces
  const logs = async (workspace: string) =>
    (await json<{ readonly commands: ReadonlyArray<Logged> }>(["workspace", "logs", workspace])).commands
  return { snapshot, list, kinds, durable, fork, logs } as const
}
