import { Deferred, Effect, Stream } from "effect"
import { InvalidRequest, WorkspaceNameTaken, WorkspaceNotFound } from "../../src/contract/errors/errors.ts"
import type { ErrorOf } from "../../src/contract/rows/operations.ts"
import type { PyroService } from "../../src/contract/rows/Pyro.ts"
import type { RunInput } from "../../src/contract/rows/run-input.ts"
import type { RunEvent, RunPayload } from "../../src/contract/rows/run.ts"
import type { ExecEvent } from "../../src/contract/rows/workspace-exec.ts"
import type { WorkspaceInfo } from "../../src/contract/rows/workspace-info.ts"
import type { WorkspaceEvent } from "../../src/contract/rows/workspace-lifecycle.ts"
import { callerProject, isReachable } from "../../src/contract/wire/caller-project.ts"
import { unfakedPyro } from "../support/daemon/unfaked-pyro.ts"
import { lapse } from "../support/until.ts"

type RunCommand = (payload: RunPayload, input: RunInput) => Stream.Stream<RunEvent, ErrorOf<"run">>

/** Why a workspace of `fake:panics` failed. */
const PANIC = `the guest's kernel panicked: ${"x".repeat(300)}\nend of the guest's console:\r\n` +
  "[1.0] Kernel panic\r\nlabels  mine\u001b[31m\r\n"

/** Bytes of one event: a message has a limit. */
const PIECE_BYTES = 65_536

const progress = (message: string): WorkspaceEvent => ({ _tag: "Notice", level: "progress", message })

const networkOf = (allowHosts: ReadonlyArray<string>): NonNullable<WorkspaceInfo["network"]> => ({
  networkPolicy: allowHosts.length === 0 ? "off" : "egress",
  allowHosts,
  denyHosts: [],
  allowIps: [],
  open: 0,
  allowed: 0,
  denied: 0,
  failed: 0,
  bytesOut: 0,
  bytesIn: 0
})

/** Workspaces of a daemon that has no microVMs: records in memory, files in a map, commands run by `runCommand`. */
export const fakeWorkspaces = (runCommand: RunCommand): PyroService["workspace"] => {
  const all = new Map<string, WorkspaceInfo>()
  const files = new Map<string, Uint8Array>()
  const cancelled = new Map<string, Deferred.Deferred<void>>()
  let made = 0

  const reachable = Effect.map(
    callerProject,
    (caller) => [...all.values()].filter((one) => isReachable(caller, one))
  )

  const find = (named: string) =>
    Effect.flatMap(reachable, (there): Effect.Effect<WorkspaceInfo, WorkspaceNotFound> => {
      const found = there.find(({ id, name }) => id === named || name === named)
      if (found !== undefined) return Effect.succeed(found)
      const names = there.map(({ id, name }) => name ?? id)
      return new WorkspaceNotFound({ workspace: named, similar: names.filter((name) => name[0] === named[0]) })
    })

  const turned = (
    workspace: string,
    changes: Partial<WorkspaceInfo>
  ): Stream.Stream<WorkspaceEvent, ErrorOf<"workspace.stop">> =>
    Stream.fromEffect(Effect.map(find(workspace), (found): WorkspaceEvent => {
      const changed = { ...found, ...changes }
      all.set(found.id, changed)
      return { _tag: "Ready", workspace: changed }
    }))

  return {
    ...unfakedPyro.workspace,
    create: (payload) =>
      Stream.unwrap(Effect.gen(function*() {
        const taken = [...all.values()].find(({ name }) => name !== undefined && name === payload.name)
        if (taken !== undefined) {
          return yield* new WorkspaceNameTaken({ workspaceName: taken.name!, workspace: taken.id })
        }
        const caller = yield* callerProject
        const info: WorkspaceInfo = {
          id: `ws-${String(++made).padStart(10, "0")}`,
          ...(payload.name === undefined ? {} : { name: payload.name }),
          labels: payload.labels,
          environment: payload.environment,
          environmentDigest: "sha256:0123456789abcdef",
          ...(payload.environment === "fake:panics" ? { state: "failed", detail: PANIC } : { state: "running" }),
          createdAt: "2025-01-02T03:04:05.000Z",
          lastActivityAt: new Date(Date.UTC(2025, 0, 2, 3, 4, made)).toISOString(),
          generation: 1,
          vcpuCount: payload.vcpuCount,
          memoryMib: payload.memoryMib,
          diskMib: payload.diskMib,
          ...(payload.seedPath === undefined ? {} : { seedPath: payload.seedPath }),
          ...(payload.allowHosts === undefined ? {} : { network: networkOf(payload.allowHosts) }),
          ...(caller === undefined ? {} : { project: caller.project }),
          runningCommands: 0
        }
        all.set(info.id, info)
        return Stream.make<Array<WorkspaceEvent>>(
          progress("seeding"),
          { _tag: "Notice", level: "warning", message: "1 file skipped" },
          { _tag: "Ready", workspace: info }
        )
      })),
    list: ({ labels }) =>
      Effect.map(reachable, (there) => ({
        workspaces: there
          .filter((one) => Object.entries(labels).every(([key, value]) => one.labels[key] === value))
          .sort((a, b) => b.lastActivityAt.localeCompare(a.lastActivityAt))
      })),
    status: ({ workspace }) => find(workspace),
    stop: ({ workspace }) => turned(workspace, { state: "stopped" }),
    start: ({ workspace }) => turned(workspace, { state: "running" }),
    network: {
      ...unfakedPyro.workspace.network,
      set: ({ allowHosts = [], workspace }) =>
        Effect.map(find(workspace), (found) => ({
          workspace: { ...found, network: networkOf(allowHosts) },
          resetCount: 0,
          revokedGrants: [],
          liftedDenials: []
        }))
    },
    timeline: ({ follow }) => {
      const entry = (kind: string) => ({
        key: `event:${kind}`,
        at: "2025-01-02T03:04:05.000Z",
        kind,
        text: `${kind}\u001b[31m\nand more`,
        details: {}
      })
      const events = Stream.make({ _tag: "Entries" as const, entries: [entry("created"), entry("command")] })
      return follow ? Stream.concat(events, Stream.never) : events
    },
    watch: () =>
      Stream.concat(
        Stream.fromEffect(Effect.map(reachable, (there) => ({
          _tag: "Changed" as const,
          at: "2025-01-02T03:04:05.000Z",
          workspaces: there.map((workspace) => ({
            workspace,
            cpuPercent: 12.3,
            memoryBytes: 67_108_864,
            lastCommand: {
              execId: "0".repeat(32),
              command: ["make", "te\u001bst"],
              startedAt: "2025-01-02T03:04:05.000Z",
              outcome: "exited" as const,
              status: 2,
              outputBytes: 0
            },
            commandCount: 1,
            failedCount: 1
          })),
          gone: ["ws-0000000009"]
        }))),
        Stream.never
      ),
    delete: (payload) =>
      Effect.gen(function*() {
        const found = payload.all ? yield* reachable : yield* Effect.forEach(payload.workspaces, find)
        for (const { id } of found) all.delete(id)
        return { deleted: found.map(({ id }) => id), names: found.map(({ id, name }) => name ?? id) }
      }),
    cancel: ({ execId }) =>
      Effect.suspend(() => {
        const command = cancelled.get(execId)
        return Effect.as(command === undefined ? Effect.void : Deferred.succeed(command, undefined), {
          execId,
          cancelled: command !== undefined
        })
      }),
    exec: (payload, input = {}) =>
      Stream.unwrap(Effect.gen(function*() {
        yield* find(payload.workspace)
        const argv = payload.script === undefined ? payload.command : ["sh", "-c", payload.script]
        if (argv.length === 0) return yield* new InvalidRequest({ field: "command", detail: "is empty" })
        const execId = payload.execId ?? "0".repeat(32)
        const interrupt = yield* Deferred.make<void>()
        cancelled.set(execId, interrupt)
        let next = 0
        const event = (one: RunEvent): ExecEvent => {
          switch (one._tag) {
            case "Started":
              return { _tag: "Started", execId, pid: 7 }
            case "Output":
              next += one.bytes.length
              return { ...one, next }
            case "Notice":
              return one
            case "Exited": {
              const { durations, ...how } = one
              return { ...how, durationMs: durations.commandMs }
            }
          }
        }
        const { cwd: _cwd, ...command } = payload
        const ran = runCommand(
          {
            ...command,
            command: argv,
            cwd: "/",
            environment: "debian:12",
            includeIgnored: [],
            noPackageCache: false,
            trustHostCertificates: false,
            allowHome: false,
            workspaceUser: "root",
            vcpuCount: 1,
            memoryMib: 64
          },
          { ...input, interrupt: Deferred.await(interrupt) }
        )
        // A command of a workspace makes no environment.
        const events = Stream.map(ran as Stream.Stream<RunEvent, ErrorOf<"workspace.exec">>, event)
        const seconds = payload.detach ? 0.2 : payload.waitSeconds
        return seconds === undefined ? events : events.pipe(
          Stream.interruptWhen(lapse(seconds * 1000)),
          Stream.filter(({ _tag }) => _tag !== "Output" || !payload.detach),
          Stream.concat(Stream.succeed<ExecEvent>({ _tag: "Detached", execId })),
          Stream.takeUntil(({ _tag }) => _tag === "Exited")
        )
      })),
    file: {
      ...unfakedPyro.workspace.file,
      write: ({ content, path, text, workspace }) =>
        Effect.gen(function*() {
          const { id } = yield* find(workspace)
          const bytes = content ?? new TextEncoder().encode(text)
          const created = !files.has(`${id} ${path}`)
          files.set(`${id} ${path}`, bytes)
          return { path, created, sizeBytes: bytes.length, mode: "0644", version: "0123456789abcdef" }
        }),
      upload: ({ path, workspace }, { stdin = Stream.empty } = {}) =>
        Stream.fromEffect(Effect.gen(function*() {
          const { id } = yield* find(workspace)
          const bytes = Buffer.concat(yield* Stream.runCollect(stdin))
          const created = !files.has(`${id} ${path}`)
          files.set(`${id} ${path}`, bytes)
          return {
            _tag: "Ended" as const,
            path,
            created,
            sizeBytes: bytes.length,
            mode: "0644",
            version: "0123456789abcdef"
          }
        })),
      download: ({ path, workspace }) =>
        Stream.unwrap(Effect.map(find(workspace), ({ id }) => {
          const bytes = files.get(`${id} ${path}`) ?? new Uint8Array()
          const pieces = Array.from({ length: Math.ceil(bytes.length / PIECE_BYTES) }, (_, index) => ({
            _tag: "Output" as const,
            bytes: bytes.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES)
          }))
          return Stream.make(
            {
              _tag: "Opened" as const,
              path,
              sizeBytes: bytes.length,
              mode: "0644",
              version: "0123456789abcdef"
            },
            ...pieces,
            { _tag: "Ended" as const, bytes: bytes.length, changed: false }
          )
        }))
    },
    export: ({ output, path, workspace }) =>
      Stream.unwrap(Effect.gen(function*() {
        const { id } = yield* find(workspace)
        const bytes = files.get(`${id} ${path}`) ?? new Uint8Array()
        return Stream.make(
          { _tag: "Output" as const, bytes },
          {
            _tag: "Exported" as const,
            summary: {
              output: output ?? "-",
              kind: "file" as const,
              files: 1,
              directories: 0,
              symlinks: 0,
              bytes: bytes.length,
              skippedCount: 0,
              skipped: [],
              executableConfig: [],
              warnings: []
            }
          }
        )
      }))
  }
}
