import { Deferred, Effect, Schedule, type Scope } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import type { Readable } from "node:stream"
import { HostToolMissing, type NoSpace, type VmFailed } from "../../../src/contract/errors/errors.ts"
import type { Ownership } from "../../../src/lib/vm/driver/ownership.ts"
import { failedAt } from "../../../src/lib/vm/model/failure.ts"
import { packageOf } from "../../../src/system/processes/child.ts"
import { isAlive, type ProcessIdentity, processIdentity } from "../../../src/system/processes/identity.ts"
import type { LocalAgentOptions } from "./options.ts"
import { endProcesses } from "./processes.ts"
import { parts, sandboxed, type VisibleDirectories } from "./sandbox.ts"

/** Descriptor on which bubblewrap reports. */
const infoDescriptor = 3

/** How often the end of an agent is looked for. */
const lookEvery = "50 millis"

/** First process of an agent's pid namespace, and its end. */
export interface AgentProcess {
  readonly identity: ProcessIdentity
  readonly ended: Effect.Effect<void>
}

/** Starts an agent in its sandbox, and records who it is. The Scope ends the agent and waits until it is gone. */
export const startAgent = (request: {
  readonly ownership: Ownership
  readonly directories: VisibleDirectories
  readonly options: LocalAgentOptions
  readonly dieWithParent: boolean
}): Effect.Effect<AgentProcess, VmFailed | NoSpace | HostToolMissing, Scope.Scope> =>
  Effect.gen(function*() {
    const { ownership } = request
    const { paths } = ownership
    const { id } = yield* ownership.record
    const { args, program } = sandboxed({ ...request, id, paths, infoDescriptor })
    const identity = yield* Effect.acquireRelease(
      launch(program, args, parts(paths).console),
      (identity) => ownership.unlessLeft(endProcesses(identity))
    )
    yield* ownership.update((now) => ({ ...now, process: identity }))
    return yield* watch(identity)
  })

/** An agent that another process has started. The Scope ends the agent, as it does one's own. */
export const adoptAgent = (
  ownership: Ownership,
  identity: ProcessIdentity
): Effect.Effect<AgentProcess, never, Scope.Scope> =>
  Effect.andThen(
    Effect.addFinalizer(() => ownership.unlessLeft(endProcesses(identity))),
    watch(identity)
  )

const watch = (identity: ProcessIdentity): Effect.Effect<AgentProcess, never, Scope.Scope> =>
  Effect.gen(function*() {
    const ended = yield* Deferred.make<void>()
    yield* Effect.sync(() => isAlive(identity)).pipe(
      Effect.repeat({ while: (alive) => alive, schedule: Schedule.spaced(lookEvery) }),
      Effect.andThen(Deferred.succeed(ended, undefined)),
      Effect.interruptible,
      Effect.forkScoped
    )
    return { identity, ended: Deferred.await(ended) }
  })

/** Gives the process that bubblewrap reports. */
const launch = (program: string, args: ReadonlyArray<string>, log: string) =>
  Effect.callback<ProcessIdentity, VmFailed | HostToolMissing>((resume) => {
    const output = fs.openSync(log, "a", 0o600)
    const child = spawn(program, args, { cwd: "/", detached: true, stdio: ["ignore", output, output, "pipe"] })
    fs.closeSync(output)
    child.unref()
    child.once(
      "error",
      ({ message }) => resume(new HostToolMissing({ tool: "bwrap", package: packageOf("bwrap"), detail: message }))
    )
    child.once(
      "exit",
      (code, signal) =>
        resume(failedAt("start")(new Error(`bubblewrap ended: ${signal ?? `exit status ${code}`}: ${tailOf(log)}`)))
    )
    reported(child, (pid) => {
      const identity = processIdentity(pid)
      if (identity !== undefined) resume(Effect.succeed(identity))
    })
  })

/** Bubblewrap reports `{"child-pid": N, ...}`, in several writes: a pipe that is closed after the first one would end it. */
const reported = (child: ChildProcess, use: (pid: number) => void) => {
  const info = child.stdio[infoDescriptor] as Readable
  let text = ""
  info.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk
    const found = /"child-pid":\s*(\d+)/.exec(text)
    if (found !== null) use(Number(found[1]))
  })
}

const tailBytes = 4096

/** End of what an agent printed. */
export const tailOf = (log: string): string => {
  try {
    return fs.readFileSync(log).subarray(-tailBytes).toString("utf8")
  } catch {
    return "" // the folder is just being removed
  }
}
