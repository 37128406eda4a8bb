import { Effect, Queue, Stream } from "effect"
import { mapCalls, type PyroService } from "../../../src/contract/rows/Pyro.ts"
import type { ObservedWorkspace, WorkspacesChanged } from "../../../src/contract/rows/workspace-watch.ts"

/** A workspace of a crowd. Its memory and last command change with `turn`. */
export const observed = (n: number, turn: number): ObservedWorkspace => ({
  workspace: {
    id: `ws-${String(n).padStart(10, "0")}`,
    name: `crowd-${n}`,
    labels: { task: String(n % 7) },
    environment: "debian:12",
    environmentDigest: "0".repeat(64),
    state: "running",
    createdAt: new Date(1_700_000_000_000 + n).toISOString(),
    lastActivityAt: new Date(1_700_000_000_000 + turn).toISOString(),
    generation: 1,
    vcpuCount: 1,
    memoryMib: 1024,
    diskMib: 16_384,
    diskUsedBytes: 1_000 * n,
    secrets: [],
    secretHttp: [],
    runningCommands: 0,
    ports: [{ guestPort: 3000, hostPort: 40_000 + n }]
  },
  cpuPercent: (n + turn) % 100,
  memoryBytes: 100_000_000 + turn,
  lastCommand: {
    execId: "0".repeat(32),
    command: ["npm", "test", String(turn)],
    startedAt: new Date(1_700_000_000_000).toISOString(),
    outcome: "exited",
    status: turn % 2,
    durationMs: turn,
    outputBytes: 0
  },
  commandCount: turn,
  failedCount: 0
})

/** Operations of a daemon with `count` workspaces, all of which change with each `change`. */
export const crowd = (count: number) => {
  const readers = new Set<Queue.Queue<WorkspacesChanged>>()
  let turn = 0
  const event = (rows = count): WorkspacesChanged => ({
    _tag: "Changed",
    at: new Date().toISOString(),
    workspaces: Array.from({ length: rows }, (_, n) => observed(n, turn)),
    gone: []
  })
  const watch = () =>
    Stream.unwrap(Effect.gen(function*() {
      const queue = yield* Queue.unbounded<WorkspacesChanged>()
      readers.add(queue)
      yield* Queue.offer(queue, event())
      return Stream.fromQueue(queue).pipe(Stream.ensuring(Effect.sync(() => readers.delete(queue))))
    }))
  const answers: Readonly<Record<string, unknown>> = {
    "env.list": { environments: [] },
    "daemon.status": {
      running: true,
      logPath: "/log",
      vms: [],
      disk: { usedBytes: 0, evictableBytes: 0, freeBytes: 0, uses: [], workspaces: [] }
    }
  }
  const pyro: PyroService = mapCalls((row) =>
    row.name === "workspace.watch"
      ? watch
      : () =>
        row.name in answers ? Effect.succeed(answers[row.name]) : Effect.die(`${row.name} is no part of this test`)
  )
  return {
    pyro,
    /** The first workspaces change; by default, all. */
    change: (rows = count) => {
      turn++
      for (const queue of readers) Queue.offerUnsafe(queue, event(rows))
      return turn
    },
    readers: () => readers.size
  }
}
