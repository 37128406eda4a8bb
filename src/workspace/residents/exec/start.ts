import { Effect, Exit } from "effect"
import type { InvalidRequest, NoSpace, StateDirectoryUnusable } from "../../../contract/errors/errors.ts"
import { DEFAULT_CWD, DEFAULT_GRACE_SECONDS } from "../../../contract/rows/command.ts"
import type { RunInput } from "../../../contract/rows/run-input.ts"
import type { ExecPayload } from "../../../contract/rows/workspace-exec.ts"
import { callerProject } from "../../../contract/wire/caller-project.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import { settleAfterwards } from "../../../system/waits/signal.ts"
import { nowMs } from "../../../system/waits/time.ts"
import { type CommandDefaults, directoryOf } from "../program/command-defaults.ts"
import type { CommandRole } from "../program/command-role.ts"
import { endingOptions, feed, recordedCommand, spawnRequest } from "../program/command.ts"
import { isSteered, type Variables } from "../program/variables.ts"
import { mountSecrets } from "../secret/mount.ts"
import { pidsMaxOf, untilLate } from "./follow.ts"
import type { CommandStart } from "./journal.ts"
import { type CommandRecords, journaled, type Running, type RunningCommands } from "./running.ts"

/** Prepares the guest before each command, and gives variables for the command. */
export type Preparation = (channel: GuestChannel) => Effect.Effect<Variables, NoSpace | StateDirectoryUnusable>

/** What a start takes beside the records. */
export interface Starting {
  readonly prepare: Preparation
  readonly defaults: Effect.Effect<CommandDefaults>
}

type StartPayload = ExecPayload & { readonly execId: string }

/** The start of a command as the journal has it. */
const startOf = (
  payload: StartPayload,
  { client, cwd, deadlineMs, env, mounts, redact, role, startedAtMs }: {
    readonly client: string | undefined
    readonly cwd: string
    readonly deadlineMs: number | undefined
    /** Variables of the workspace. */
    readonly env: CommandDefaults["env"]
    readonly mounts: ReadonlyArray<{ readonly path: string }>
    readonly redact: (text: string) => string
    readonly role: CommandRole | undefined
    readonly startedAtMs: number
  }
): CommandStart => ({
  id: payload.execId,
  ...(role === undefined ? {} : { role }),
  command: recordedCommand(payload).map((word) => redact(word)),
  startedAt: new Date(startedAtMs).toISOString(),
  ...(deadlineMs === undefined ? {} : { deadlineMs }),
  ...(payload.graceSeconds === DEFAULT_GRACE_SECONDS ? {} : { graceMs: payload.graceSeconds * 1000 }),
  ...(cwd === DEFAULT_CWD ? {} : { cwd: redact(cwd) }),
  ...(payload.user === undefined || payload.user === "root" ? {} : { user: payload.user }),
  ...(payload.tty ? { tty: true } : {}),
  ...(isSteered(payload, env) ? { variables: true as const } : {}),
  ...(payload.openStdin === true ? { stdin: "open" as const } : {}),
  ...(role?._tag === "shell" ? { sizes: [{ at: 0, cols: payload.cols, rows: payload.rows }] } : {}),
  ...(mounts.length === 0 ? {} : { secretPaths: mounts.map(({ path }) => path) }),
  ...(client === undefined ? {} : { client })
})

/** Starts a command (`Commands.start`). */
export const startCommand = (
  { deferred, folder, journal, logs, secrets }: CommandRecords,
  { conclude, inBackground, make, running, unmount }: RunningCommands,
  { defaults, prepare }: Starting,
  { channel, memoryMib, scope }: Running & { readonly memoryMib: number },
  payload: StartPayload,
  input: RunInput,
  role: CommandRole | undefined
): Effect.Effect<{ readonly mine: boolean }, InvalidRequest | NoSpace | StateDirectoryUnusable> =>
  Effect.gen(function*() {
    const { execId: id } = payload
    const prepared = yield* prepare(channel)
    const own = yield* defaults
    // The steps from here to the journal do not wait: of two requests with one id, only one starts the command.
    if (journal.get(id) !== undefined) return { mine: false }
    const variables = yield* secrets.variables(payload.secretEnv)
    const mounts = yield* secrets.mounts(payload.secretMount)
    const startedAtMs = yield* nowMs
    const client = (yield* callerProject)?.client
    const deadlineMs = payload.timeoutSeconds === undefined
      ? undefined
      : startedAtMs + payload.timeoutSeconds * 1000
    const cwd = directoryOf(payload.cwd, own)
    yield* journaled(folder, () =>
      journal.started(
        startOf(payload, {
          client,
          cwd,
          deadlineMs,
          env: own.env,
          mounts,
          redact: (text) => secrets.redact(text),
          role,
          startedAtMs
        })
      ))
    const ending = endingOptions({ graceMs: payload.graceSeconds * 1000, tty: payload.tty, role })
    const command = make(id, logs.create(id), scope, ending)
    const request = spawnRequest(
      {
        ...payload,
        cwd,
        env: { ...prepared, ...own.env, ...payload.env, ...variables }
      },
      input
    )
    // The following work overlaps with the start in the guest.
    const launch = channel.launch({ ...request, id, pidsMax: pidsMaxOf(memoryMib) })
    const started = mounts.length === 0
      ? yield* launch
      : Effect.andThen(mountSecrets(channel, mounts, payload.user ?? "root"), Effect.flatten(launch)).pipe(
        Effect.tapError(({ _tag }) => _tag.startsWith("Command") ? unmount(channel, id) : Effect.void)
      )
    const work = (deadlineMs === undefined ? started : untilLate(command.started, started, deadlineMs - startedAtMs))
      .pipe(
        Effect.tapError((failure) =>
          Effect.sync(() => {
            // After the loss of the channel, only the guest knows whether the command started.
            if (failure._tag === "ChannelFailed" || running.get(id) !== command) return
            journal.refused(id)
            journal.flush()
            logs.forget(id)
          })
        ),
        Effect.flatMap((process) => {
          command.pid = process.pid
          settleAfterwards(command.started, Exit.succeed(process))
          const rest = conclude(command, channel, process, { startedAtMs, deadlineMs })
          // The terminal of the caller of a detached command would close the command's stdin.
          const isFed = payload.openStdin !== true && (input.stdin !== undefined || input.resizes !== undefined)
          return isFed ? Effect.andThen(feed(process, input), rest) : rest
        })
      )
    yield* inBackground(command, work, scope)
    yield* deferred.started
    return { mine: true }
  }).pipe(Effect.uninterruptible)
