import { Effect, type Scope } from "effect"
import type { ChannelFailed, InvalidRequest, NoSpace, StateDirectoryUnusable } from "../../../contract/errors/errors.ts"
import type { RunInput } from "../../../contract/rows/run-input.ts"
import type { ExecPayload } from "../../../contract/rows/workspace-exec.ts"
import { logLimits, LogStore } from "../../../lib/output-log/store.ts"
import { attempt, toHostErrorOf } from "../../../system/files/failure.ts"
import type { WorkspaceFolder } from "../../entry/record.ts"
import type { GuestLost } from "../../entry/resident.ts"
import { type CommandDefaults, noDefaults } from "../program/command-defaults.ts"
import type { CommandRole } from "../program/command-role.ts"
import type { Variables } from "../program/variables.ts"
import { unstoredSecrets, type WorkspaceSecrets } from "../secret/workspace-secrets.ts"
import { adoptCommands, delayCommands, loseCommands, restCommands } from "./adopt.ts"
import { makeDeferredRelease } from "./deferred-release.ts"
import { CommandJournal } from "./journal.ts"
import { type Command, makeRunning, type Running } from "./running.ts"
import { type Preparation, startCommand } from "./start.ts"

/** Commands of one workspace since its creation or last reset. */
export interface Commands {
  readonly folder: WorkspaceFolder
  readonly journal: CommandJournal
  readonly logs: LogStore
  readonly secrets: WorkspaceSecrets
  readonly running: ReadonlyMap<string, Command>
  /** Prepares the guest for a program, and gives the variables that pyro sets for it. Those of the workspace are in `defaults`. */
  readonly prepare: Preparation
  /** Variables and directory of commands that do not name their own. */
  readonly defaults: Effect.Effect<CommandDefaults>
  /**
   * Starts a command, and records its output and end until the VM's scope closes, with or without listeners. A known id starts nothing:
   * `mine` is false.
   */
  readonly start: (
    generation: Running & { readonly memoryMib: number },
    payload: ExecPayload & { readonly execId: string },
    input: RunInput,
    /** @default an exec */
    role?: CommandRole
  ) => Effect.Effect<{ readonly mine: boolean }, InvalidRequest | NoSpace | StateDirectoryUnusable>
  /** Adopts the commands of another daemon that a guest still runs, or whose end the guest keeps. */
  readonly adopt: (generation: Running) => Effect.Effect<void, ChannelFailed | NoSpace | StateDirectoryUnusable>
  /** Records that the running commands are lost, because their VM has ended. */
  readonly loseAll: (why: GuestLost) => Effect.Effect<void>
  /** Ends the waiters of the running commands, which `adopt` finds in the next VM. */
  readonly rest: (why: GuestLost) => Effect.Effect<void>
  /** Moves the deadlines of the running commands by a time in which they stood still. */
  readonly delay: (ms: number) => Effect.Effect<void, NoSpace | StateDirectoryUnusable>
}

/** Opens journal and logs of a workspace; they close with the Scope. */
export const openCommands = (
  folder: WorkspaceFolder,
  limits = logLimits,
  secrets = unstoredSecrets(),
  preparations: ReadonlyArray<Preparation> = [],
  defaults: Effect.Effect<CommandDefaults> = noDefaults
): Effect.Effect<Commands, NoSpace | StateDirectoryUnusable, Scope.Scope> =>
  Effect.gen(function*() {
    const journal = yield* Effect.acquireRelease(
      attempt("open", folder.journal, () => new CommandJournal(folder.journal)),
      (journal) => Effect.sync(() => journal.close())
    )
    const ends = journal.commands.map(({ end, start }) => [start.id, end] as const)
    const logs = yield* attempt("open", folder.logs, () => new LogStore(folder.logs, limits, ends))
    const deferred = yield* makeDeferredRelease(folder, journal)
    const records = { folder, journal, logs, secrets, deferred }
    const commands = makeRunning(records)

    const prepare: Preparation = (channel) =>
      Effect.gen(function*() {
        let prepared: Variables = {}
        for (const preparation of preparations) prepared = { ...prepared, ...yield* preparation(channel) }
        return prepared
      })

    const registry: Commands = {
      folder,
      journal,
      logs,
      secrets,
      running: commands.running,
      prepare,
      defaults,
      start: (generation, payload, input, role) =>
        startCommand(records, commands, { prepare, defaults }, generation, payload, input, role),
      adopt: (generation) => adoptCommands(records, commands, generation),
      loseAll: (why) => loseCommands(records, commands, why),
      rest: (why) => restCommands(records, commands, why),
      delay: (ms) => delayCommands(records, ms)
    }
    return registry
  }).pipe(Effect.catchTag("FileFailed", (failure) => Effect.fail(toHostErrorOf(folder.directory)(failure))))
