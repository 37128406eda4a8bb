import { Deferred, Effect, Schedule, type Scope } from "effect"
import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process"
import * as os from "node:os"
import * as path from "node:path"
import type { Readable } from "node:stream"
import { HostToolMissing, type NoSpace, type VmFailed } from "../../../contract/errors/errors.ts"
import { table } from "../../../contract/text/names.ts"
import { linkSymbolically } from "../../../system/files/entries.ts"
import { killAndWait, packageOf } from "../../../system/processes/child.ts"
import {
  isAlive,
  processesWithArgument,
  type ProcessIdentity,
  processIdentity
} from "../../../system/processes/identity.ts"
import { killIdentity, untilGone } from "../../../system/processes/kill-identity.ts"
import { settingNow } from "../../../system/settings/config.ts"
import type { ConfinementLevel } from "../model/confinement.ts"
import { fileFailedAt, vmFailed } from "../model/failure.ts"
import { processName, type VmRecord } from "../model/record.ts"
import { confine, KVM, kvmDeviceFor, type VisibleFile } from "./confine.ts"
import { COPIED, copyFailed, copyThen, leaveMemory } from "./memory.ts"
import type { Ownership } from "./ownership.ts"

export interface VmmProcess {
  /** Process whose death ends the VM. */
  readonly identity: ProcessIdentity
  /** Completes at the end of the VMM, with its last output. */
  readonly ended: Effect.Effect<string>
  readonly isAlive: () => boolean
}

interface VmmRequest {
  /** The VMM's name in errors. */
  readonly vmm: string
  readonly command: readonly [program: string, ...args: ReadonlyArray<string>]
  readonly ownership: Ownership
  readonly record: VmRecord
  readonly level: ConfinementLevel
  /** Files that the VMM may see, by names in its working directory, which is the VM's folder. */
  readonly files: ReadonlyArray<VisibleFile>
  /** Program with its arguments that becomes the command, in the host's own namespaces. */
  readonly through?: ReadonlyArray<string> | undefined
  readonly usesKvm: boolean
  /** Frozen memory that is copied into the VM's own. Undefined: its memory file exists, or it has none. */
  readonly memoryPath?: string | undefined
  /** Our descriptor that the VMM gets as descriptor 3. */
  readonly inheritedDescriptor?: number | undefined
  /** Our descriptor of a memory that the VMM opens as `/proc/self/fd/sharedMemoryAt`. Undefined: it shares none. */
  readonly sharedDescriptor?: number | undefined
  /** The VM ends at any end of this process. */
  readonly dieWithParent: boolean
  /** Fields of the VM's record from its start on. */
  readonly started: (record: VmRecord) => VmRecord
}

/** Descriptor at which a VMM finds the inherited one. */
export const inheritedAt = 3
const infoDescriptor = 4

/**
 * Starts a VMM in the VM's folder and records its identity. The Scope kills it and waits for its end, so that everything acquired before
 * (memory, disks, folder) is unused at its own release.
 */
export const startVmm = (
  request: VmmRequest
): Effect.Effect<VmmProcess, VmFailed | NoSpace | HostToolMissing, Scope.Scope> =>
  Effect.gen(function*() {
    const { ownership, record, vmm } = request
    const { paths } = ownership
    if (request.level === "seccomp") yield* linkFiles(paths.directory, request.files)
    const kvm = !request.usesKvm
      ? undefined
      : request.level === "namespaces+uid"
      ? yield* kvmDeviceFor(record.uid, paths.directory)
      : { path: KVM, group: undefined }
    const locked = confine(request.level, {
      command: request.command,
      files: request.files,
      uid: record.uid,
      kvm,
      dieWithParent: request.dieWithParent,
      infoDescriptor,
      hasProc: request.sharedDescriptor !== undefined
    })
    const copy = request.memoryPath === undefined
      ? undefined
      : { from: request.memoryPath, to: paths.memory, uid: record.uid }
    const [first, ...others] = [...(request.through ?? []), locked.program, ...locked.args]
    const last = [first!, ...others] as const
    const [program, ...args] = copy === undefined ? last : yield* copyThen(copy, infoDescriptor, last)
    const ended = yield* Deferred.make<string>()
    let isKnown = false
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => launch(program, args, paths.directory, request)),
      (child) =>
        Effect.andThen(
          ownership.unlessLeft(
            Effect.andThen(killAndWait(child), Effect.suspend(() => isKnown ? Effect.void : killUnknown(record.id)))
          ),
          Effect.sync(() => letGo(child))
        )
    )
    const stderr = keepTail(child.stderr as Readable)
    child.once("error", (cause) => Deferred.doneUnsafe(ended, Effect.succeed(cause.message)))
    child.once(
      "exit",
      (code, signal) => Deferred.doneUnsafe(ended, Effect.sync(() => `${endOf(code, signal)}${said(stderr())}`))
    )

    if (child.pid === undefined) {
      const detail = yield* Deferred.await(ended)
      return yield* new HostToolMissing({
        tool: path.basename(program),
        package: packageOf(program),
        detail
      })
    }
    const failure = (how: string) =>
      copy !== undefined && stderr().startsWith("pyro-copy: ")
        ? copyFailed(copy, child.exitCode, how)
        : vmFailed("start", `${locked.program}: ${how}`)
    const reportedBy = locked.infoDescriptor !== undefined ? CHILD_PID : copy === undefined ? undefined : COPIED_LINE
    const [, inside] = reportedBy === undefined ? [] : yield* Effect.raceFirst(
      untilReported(child.stdio[infoDescriptor] as Readable, reportedBy),
      Effect.flatMap(Deferred.await(ended), (how) => Effect.fail(failure(how)))
    )
    const pid = inside === undefined ? child.pid : Number(inside)
    const identity = processIdentity(pid)
    if (identity === undefined) {
      return yield* vmFailed("start", `${vmm} ended at once: ${yield* Deferred.await(ended)}`)
    }
    yield* Effect.addFinalizer(() => ownership.unlessLeft(killIdentity(identity, leaveMemory(ownership.paths))))
    isKnown = true
    yield* ownership.update((now) => ({ ...request.started(now), process: identity }))
    return { identity, ended: Deferred.await(ended), isAlive: () => isAlive(identity) }
  })

/**
 * Kills leftovers of a start that failed before the VMM's identity was known. Bubblewrap's child is in a session of its own, so that
 * it survives the end of bubblewrap's process group, and this process may not have read its pid yet.
 */
const killUnknown = (id: VmRecord["id"]) =>
  Effect.suspend(() =>
    Effect.forEach(processesWithArgument(processName(id)), (one) => killIdentity(one), { discard: true })
  )

/** A child that is left running keeps neither this process alive nor its pipes open. A VMM ignores closed pipes. */
const letGo = (child: ChildProcess) => {
  child.unref()
  for (const stream of child.stdio) stream?.destroy()
}

/** How often a VMM that is not our child is checked. The end of a connection to it is noticed at once. */
const lookEvery = "250 millis"

/** A VMM that another process has started. The Scope kills it like our own. `closed` is the end of a connection to it. */
export const adoptVmm = (
  ownership: Ownership,
  identity: ProcessIdentity
): Effect.Effect<
  VmmProcess & { readonly watch: (closed: Effect.Effect<void>) => Effect.Effect<void> },
  never,
  Scope.Scope
> =>
  Effect.gen(function*() {
    const ended = yield* Deferred.make<string>()
    yield* Effect.addFinalizer(() => ownership.unlessLeft(killIdentity(identity, leaveMemory(ownership.paths))))
    const gone = (schedule: Schedule.Schedule<unknown>) =>
      Effect.sync(() => isAlive(identity)).pipe(Effect.repeat({ while: (alive) => alive, schedule }))
    const watch = (closed: Effect.Effect<void>) =>
      Effect.raceFirst(gone(Schedule.spaced(lookEvery)), Effect.andThen(closed, gone(untilGone))).pipe(
        Effect.andThen(Deferred.succeed(ended, "it is gone, and was no child of this process")),
        Effect.asVoid
      )
    return { identity, ended: Deferred.await(ended), isAlive: () => isAlive(identity), watch }
  })

/** How a process ended. Bubblewrap reports a signal to its child as the exit status 128 + number. */
const endOf = (code: number | null, signal: NodeJS.Signals | null) => {
  const number = code !== null && code > 128 ? code - 128 : undefined
  const name = signal ?? Object.entries(os.constants.signals).find(([, value]) => value === number)?.[0]
  if (name === undefined) return `exit status ${code}`
  return `${name}${meanings[name] ?? ""}`
}

/** Signals with one usual cause. */
const meanings = table({
  SIGBUS: ", which means that the memory store is full; free some room in it",
  SIGKILL: ", from the host's OOM killer or another process (journalctl -k names the former)"
})

const said = (stderr: string) => stderr.trim() === "" ? "" : `: ${stderr.trim()}`

const launch = (
  program: string,
  args: ReadonlyArray<string>,
  cwd: string,
  { inheritedDescriptor, sharedDescriptor }: VmmRequest
) => {
  // A VMM's sockets are for their owner only. Node cannot set the umask of a child; no other code runs between these lines.
  const before = process.umask(0o077)
  try {
    return spawn(program, args, {
      cwd,
      detached: true,
      env: { PATH: settingNow("PATH"), LC_ALL: "C" },
      stdio: [
        ...["ignore", "ignore", "pipe", inheritedDescriptor ?? "ignore", "pipe"],
        // `sharedMemoryAt`
        ...(sharedDescriptor === undefined ? [] : [sharedDescriptor])
      ]
    } as SpawnOptions)
  } finally {
    process.umask(before)
  }
}

/** Without namespaces a VMM finds its files by links in its working directory. The VM's own folders are there. */
const linkFiles = (directory: string, files: ReadonlyArray<VisibleFile>) =>
  Effect.forEach(
    files.filter((file) => file.path !== path.join(directory, file.name)),
    (file) => linkSymbolically(file.path, path.join(directory, file.name)),
    { discard: true }
  ).pipe(Effect.mapError(fileFailedAt("prepare", directory)))

/** Bubblewrap reports `{"child-pid": N, ...}`: the first process of the new pid namespace, whose end is the end of all in it. */
const CHILD_PID = /"child-pid":\s*(\d+)/
const COPIED_LINE = new RegExp(COPIED)

/** Waits until the pipe has brought what the expression matches. */
const untilReported = (info: Readable, expression: RegExp) =>
  Effect.callback<RegExpExecArray>((resume) => {
    let text = ""
    info.setEncoding("utf8")
    info.on("data", (chunk: string) => {
      text += chunk
      const found = expression.exec(text)
      if (found !== null) resume(Effect.succeed(found))
    })
    info.once("end", () => resume(Effect.never)) // the process's own end tells why
  })

const keepTail = (stream: Readable) => {
  let tail = ""
  stream.setEncoding("utf8").on("data", (chunk: string) => tail = (tail + chunk).slice(-4096))
  return () => tail
}
