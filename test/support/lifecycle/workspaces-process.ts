import { Cause, Effect, Layer, Option, References, Schema, Scope, Stream } from "effect"
import * as nodeModule from "node:module"
import * as readline from "node:readline"
import type { PyroError } from "../../../src/contract/errors/errors.ts"
import { streamFromPull } from "../../../src/contract/rows/event-batches.ts"
import { readCeiling } from "../../../src/contract/rows/network-ceiling.ts"
import { typedTold } from "../../../src/contract/rows/next-steps.ts"
import { mapCalls } from "../../../src/contract/rows/Pyro.ts"
import { SavedExportPayload, SavedImportPayload } from "../../../src/contract/rows/saved-archive.ts"
import { SavedDeletePayload, SavedRef, SavePayload } from "../../../src/contract/rows/saved.ts"
import { AnswerPayload } from "../../../src/contract/rows/workspace-answer.ts"
import { ComparePayload } from "../../../src/contract/rows/workspace-diff.ts"
import { EventsPayload } from "../../../src/contract/rows/workspace-events.ts"
import { ExecPayload } from "../../../src/contract/rows/workspace-exec.ts"
import { WorkspaceRef } from "../../../src/contract/rows/workspace-field.ts"
import { FileMkdirPayload } from "../../../src/contract/rows/workspace-file-work.ts"
import { FileEditPayload, FileWritePayload } from "../../../src/contract/rows/workspace-file.ts"
import { ForkPayload } from "../../../src/contract/rows/workspace-fork.ts"
import { KeepPayload } from "../../../src/contract/rows/workspace-keep.ts"
import {
  CreatePayload,
  foldSwitch,
  StartPayload,
  type WorkspaceEvent
} from "../../../src/contract/rows/workspace-lifecycle.ts"
import { CancelPayload, LogsPayload } from "../../../src/contract/rows/workspace-logs.ts"
import { NetworkLogPayload, NetworkSetPayload } from "../../../src/contract/rows/workspace-network.ts"
import { PatchApplyPayload } from "../../../src/contract/rows/workspace-patch.ts"
import { PortPublishPayload, PortUnpublishPayload } from "../../../src/contract/rows/workspace-port.ts"
import { ResizePayload, SignalPayload, StdinPayload } from "../../../src/contract/rows/workspace-process.ts"
import { DeletePayload, ResetPayload } from "../../../src/contract/rows/workspace-reset.ts"
import { HistoryPayload, RewindPayload } from "../../../src/contract/rows/workspace-rewind.ts"
import {
  ServiceLogsPayload,
  ServicePayload,
  ServiceStartPayload,
  ServiceStopPayload
} from "../../../src/contract/rows/workspace-service.ts"
import { ShellReadPayload, ShellWritePayload } from "../../../src/contract/rows/workspace-shell-io.ts"
import { ShellClosePayload, ShellOpenPayload, ShellResizePayload } from "../../../src/contract/rows/workspace-shell.ts"
import { SnapshotPayload } from "../../../src/contract/rows/workspace-snapshot.ts"
import { type TimelineEntries, TimelinePayload } from "../../../src/contract/rows/workspace-timeline.ts"
import { TryPayload } from "../../../src/contract/rows/workspace-try.ts"
import { UpdatePayload } from "../../../src/contract/rows/workspace-update.ts"
import { type WorkspacesChanged, WorkspaceWatchPayload } from "../../../src/contract/rows/workspace-watch.ts"
import { callerProject } from "../../../src/contract/wire/caller-project.ts"
import { services } from "../../../src/daemon/app/services.ts"
import { ownWorkspaces } from "../../../src/daemon/app/workspaces.ts"
import { workspaceCall } from "../../../src/daemon/calls/list.ts"
import { isOfWorkspaces } from "../../../src/daemon/calls/workspaces/work.ts"
import { collectGarbage } from "../../../src/system/processes/collector.ts"
import type { Workspaces } from "../../../src/workspace/operations/Workspaces.ts"
import { localAgentServices } from "./local-agent-services.ts"

/**
 * A process that has the workspaces of one state directory over the driver that the first argument names. It reads a request a line, answers
 * a line for each, and ends when its stdin does: workspaces run on, as a daemon leaves them.
 */
const [driver = "", ...options] = process.argv.slice(2)

const Named = Schema.Struct({ workspace: Schema.String })

const last = <A>(events: Stream.Stream<A, PyroError>) => Effect.map(Stream.runLast(events), Option.getOrThrow)

/** The result of a stop or a start, with its warnings. */
const folded = (events: Stream.Stream<WorkspaceEvent, PyroError>) => {
  const folding = foldSwitch()
  return Effect.map(Stream.runForEach(events, (event) => Effect.sync(() => folding.add(event))), () => folding.result())
}

const operations = ({ house }: Workspaces["Service"], scope: Scope.Scope) => {
  const { saved, watch, workspace: all } = mapCalls((row) =>
    isOfWorkspaces(row) ? workspaceCall(row, Effect.succeed(house)) : undefined
  )
  const operation = <P, Encoded, A>(
    payload: Schema.Codec<P, Encoded>,
    work: (payload: P) => Effect.Effect<A, PyroError>
  ) =>
  (given: unknown) => Effect.flatMap(Schema.decodeUnknownEffect(payload)(given), work)

  const exec = (payload: ExecPayload) =>
    Effect.scoped(Effect.gen(function*() {
      const pull = yield* all.exec.pull!(payload)
      let stdout = ""
      let status: number | undefined
      let execId: string | undefined
      const notices: Array<string> = []
      let pid: number | undefined
      const events = streamFromPull(Effect.succeed(pull))
      yield* Stream.runForEach(events, (event) =>
        Effect.sync(() => {
          if (event._tag === "Output" && event.from === "stdout") stdout += Buffer.from(event.bytes).toString()
          if (event._tag === "Exited") status = event.status
          if (event._tag === "Started") ({ execId, pid } = event)
          if (event._tag === "Notice") notices.push(typedTold(event))
        }))
      return { stdout, status, execId, pid, notices }
    }))

  /** An exec whose caller leaves at the first output. */
  const abandoned = (payload: ExecPayload) =>
    Effect.scoped(Effect.gen(function*() {
      const pull = yield* all.exec.pull!(payload)
      const untilOutput: Effect.Effect<void> = Effect.flatMap(
        Effect.orDie(pull()),
        (events) => events.some(({ _tag }) => _tag === "Output") ? Effect.void : untilOutput
      )
      yield* untilOutput
    }))

  const attach = (
    shell: { readonly workspace: string; readonly shellId: string },
    { input, raw, until }: { readonly input: string; readonly raw: boolean; readonly until: string }
  ) =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const typed = { stdin: Stream.make(Buffer.from(input)) }
      const pull = yield* Scope.provide(all.shell.attach.pull!({ ...shell, detachKey: "none", raw }, typed), scope)
      let output = ""
      const more: Effect.Effect<string> = Effect.flatMap(Effect.orDie(pull()), (events) => {
        for (const event of events) {
          if (event._tag === "Output") output += Buffer.from(event.bytes).toString("latin1")
        }
        return output.includes(until) ? Effect.succeed(output) : more
      })
      return yield* more
    })

  const followed: {
    readonly timeline: Array<TimelineEntries["entries"][number] & { readonly seenAt: string }>
    readonly changes: Array<WorkspacesChanged>
    isOver: boolean
  } = { timeline: [], changes: [], isOver: false }

  return {
    /** Follows the timeline of a workspace, and all workspaces, until the end of the process. */
    follow: operation(TimelinePayload(), (payload) =>
      Effect.gen(function*() {
        yield* Effect.forkIn(
          Stream.runForEach(all.timeline(payload), ({ entries }) =>
            Effect.sync(() => {
              const seenAt = new Date().toISOString()
              followed.timeline.push(...entries.map((entry) => ({ ...entry, seenAt })))
            })).pipe(Effect.ensuring(Effect.sync(() => void (followed.isOver = true)))),
          scope
        )
        const asked = Schema.decodeSync(WorkspaceWatchPayload())({})
        yield* Effect.forkIn(
          Stream.runForEach(all.watch(asked), (event) => Effect.sync(() => void followed.changes.push(event))),
          scope
        )
      })),
    /** The events of `follow` so far. */
    followed: operation(Schema.Struct({}), () => Effect.sync(() => followed)),
    timeline: operation(TimelinePayload(), (payload) => last(all.timeline(payload))),
    create: operation(CreatePayload(), (payload) => last(all.create(payload))),
    list: operation(Schema.Struct({}), () => Effect.map(all.list({ labels: {} }), ({ workspaces }) => workspaces)),
    status: operation(Named, all.status),
    update: operation(UpdatePayload(), all.update),
    answer: operation(AnswerPayload(), all.answer),
    "network-set": operation(NetworkSetPayload(), all.network.set),
    "network-log": operation(NetworkLogPayload(), all.network.log),
    "port-publish": operation(PortPublishPayload(), all.port.publish),
    "port-unpublish": operation(PortUnpublishPayload(), all.port.unpublish),
    events: operation(EventsPayload(), all.events),
    watch: operation(
      Schema.Struct({}),
      () => Effect.map(Stream.runHead(watch({ labels: {}, intervalMs: 100 })), Option.getOrThrow)
    ),
    pause: operation(Named, (payload) => folded(all.pause(payload))),
    resume: operation(Named, (payload) => folded(all.resume(payload))),
    stop: operation(Named, (payload) => folded(all.stop(payload))),
    start: operation(StartPayload(), (payload) => folded(all.start(payload))),
    reset: operation(ResetPayload(), (payload) => last(all.reset(payload))),
    history: operation(HistoryPayload(), all.history),
    rewind: operation(RewindPayload(), (payload) => last(all.rewind(payload))),
    snapshot: operation(SnapshotPayload(), (payload) => last(all.snapshot.create(payload))),
    snapshots: operation(Named, (payload) => Effect.map(all.snapshot.list(payload), ({ snapshots }) => snapshots)),
    "delete-snapshot": operation(
      SnapshotPayload(),
      (payload) => Effect.map(all.snapshot.delete(payload), ({ deleted }) => deleted)
    ),
    save: operation(SavePayload(), (payload) => last(all.snapshot.save(payload))),
    saved: operation(Schema.Struct({}), () => Effect.map(saved.list({}), ({ saved }) => saved)),
    "saved-inspect": operation(SavedRef(), saved.inspect),
    export: operation(SavedExportPayload(), (payload) => last(saved.export(payload))),
    import: operation(SavedImportPayload(), (payload) => last(saved.import(payload))),
    "saved-delete": operation(SavedDeletePayload(), saved.delete),
    fork: operation(ForkPayload(), (payload) => last(all.fork(payload))),
    try: operation(TryPayload(), (payload) => last(all.try(payload))),
    keep: operation(KeepPayload(), (payload) => last(all.keep(payload))),
    /** A try whose caller leaves at the first event of a kind. */
    "try-abandoned": (given: { readonly until: string; readonly payload: object }) =>
      Effect.flatMap(
        Schema.decodeUnknownEffect(TryPayload())(given.payload),
        (payload) => Stream.runDrain(Stream.takeUntil(all.try(payload), ({ _tag }) => _tag === given.until))
      ),
    compare: operation(ComparePayload(), all.compare),
    exec: operation(ExecPayload(), exec),
    "exec-abandoned": operation(ExecPayload(), abandoned),
    logs: operation(LogsPayload(), all.logs),
    cancel: operation(CancelPayload(), all.cancel),
    signal: operation(SignalPayload(), all.signal),
    resize: operation(ResizePayload(), all.resize),
    stdin: operation(StdinPayload(), all.stdin),
    "shell-open": operation(ShellOpenPayload(), all.shell.open),
    "shell-list": operation(WorkspaceRef(), all.shell.list),
    "shell-read": operation(ShellReadPayload(), all.shell.read),
    "shell-write": operation(ShellWritePayload(), all.shell.write),
    "shell-resize": operation(ShellResizePayload(), all.shell.resize),
    "shell-close": operation(ShellClosePayload(), all.shell.close),
    /** Attaches, types the input, and gives the screen of the moment. Stays attached, and reads nothing more, until the end of the process. */
    "shell-attach": operation(
      Schema.Struct({
        workspace: Schema.String,
        shellId: Schema.String,
        input: Schema.String,
        raw: Schema.optional(Schema.Boolean),
        until: Schema.optional(Schema.String)
      }),
      ({ input, raw = false, shellId, until = "", workspace }) => attach({ workspace, shellId }, { input, raw, until })
    ),
    /** Memory of this process after a collection, in MiB. */
    memory: operation(Schema.Struct({}), () =>
      Effect.sync(() => {
        collectGarbage()
        const { external, heapUsed } = process.memoryUsage()
        return (heapUsed + external) / 1_048_576
      })),
    "service-start": operation(ServiceStartPayload(), all.service.start),
    "service-list": operation(Named, (payload) => Effect.map(all.service.list(payload), ({ services }) => services)),
    "service-status": operation(ServicePayload(), all.service.status),
    "service-logs": operation(ServiceLogsPayload(), all.service.logs),
    mkdir: operation(FileMkdirPayload(), all.file.mkdir),
    "file-write": operation(FileWritePayload(), all.file.write),
    "file-edit": operation(FileEditPayload(), all.file.edit),
    "patch-apply": operation(PatchApplyPayload(), all.patch.apply),
    "service-stop": operation(ServiceStopPayload(), all.service.stop),
    delete: operation(
      DeletePayload(),
      (payload) =>
        Effect.map(all.delete(payload), ({ deleted, names }) => deleted.map((id, at) => ({ id, name: names[at] })))
    ),
    /** Sets a variable of this process: a fault point above all. */
    "set-variable": operation(
      Schema.Struct({ name: Schema.String, value: Schema.String }),
      ({ name, value }) =>
        Effect.sync(() => {
          process.env[name] = value
          // The process may be killed soon, and Node writes its cache of compiled code at an end of its own.
          // Node 20 has none.
          nodeModule.flushCompileCache?.()
        })
    )
  }
}
export type Operation = keyof ReturnType<typeof operations>

/** A request of the test's. */
export interface Request {
  readonly id: number
  readonly operation: Operation
  readonly payload: {
    /** Network ceiling of the model that asks. @default a person asks */
    readonly ceiling?: string
    /** Name of the model's MCP client. @default none */
    readonly client?: string
  }
}

const answer = (id: number, result: object) => process.stdout.write(`${JSON.stringify({ id, ...result })}\n`)

const program = Effect.scoped(Effect.gen(function*() {
  const scope = yield* Effect.scope
  const { workspaces } = yield* ownWorkspaces(scope)
  const known = operations(workspaces, scope)
  const lines = readline.createInterface({ input: process.stdin })
  yield* Stream.runForEach(Stream.fromAsyncIterable(lines, String), (line) => {
    const { id, operation, payload } = JSON.parse(line) as Request
    const asked = known[operation](payload as never) as Effect.Effect<unknown, { readonly message: string }>
    const networkCeiling = readCeiling(payload.ceiling ?? "")
    const caller = networkCeiling === undefined
      ? undefined
      : { project: "", all: true, networkCeiling, ...(payload.client === undefined ? {} : { client: payload.client }) }
    const answered = Effect.matchCause(Effect.provideService(asked, callerProject, caller), {
      onSuccess: (result) => answer(id, { result }),
      onFailure: (cause) => answer(id, { error: Cause.pretty(cause) })
    })
    // A try takes long, and other requests come beside it.
    return operation === "try" ? Effect.asVoid(Effect.forkScoped(answered)) : Effect.asVoid(answered)
  })
}))

const layer = driver === "microvms" ? services : localAgentServices({
  program: options[0]!,
  reports: options[1]!,
  hasMemoryPoints: options[2] === "memory-points"
})

await Effect.runPromise(Effect.provide(program, Layer.merge(layer, Layer.succeed(References.MinimumLogLevel, "None"))))
