import { Effect } from "effect"
import type { Entry } from "../../entry/entry.ts"
import { readEvents } from "../../entry/events.ts"
import type { JournaledCommand } from "../../residents/exec/journal.ts"
import type { OpenResidents } from "../../residents/open/open.ts"

/** Digits of an id that a person needs. */
const SHORT = 12

/** Whether a program ran at a time or later, as far as the journal knows. */
const ranSince = ({ end, start }: JournaledCommand, sinceMs: number) =>
  end === undefined || Date.parse(start.startedAt) + (end.durationMs ?? 0) >= sinceMs

const nameOf = ({ start: { id, role } }: JournaledCommand) =>
  role === undefined
    ? `command ${id.slice(0, SHORT)}`
    : role._tag === "shell"
    ? `shell ${id.slice(0, SHORT)}`
    : `service ${role.name}`

/**
 * Programs that may have written after a moment, beside the commands from a place on: services, shells, SSH connections, and earlier commands that went
 * on. What they wrote since is undone with these commands.
 */
export const writersSince = (
  { folder, pointMarks, uses }: Entry,
  { commands: { journal }, ssh }: Pick<OpenResidents, "commands" | "ssh">,
  { from, sinceMs }: { readonly from: number; readonly sinceMs: number }
): Effect.Effect<ReadonlyArray<string>> =>
  Effect.gen(function*() {
    const undone = new Set(journal.steps.slice(from).map(({ start }) => start.id))
    const programs = journal.commands.filter((one) => !undone.has(one.start.id) && ranSince(one, sinceMs))
    const since = new Date(sinceMs).toISOString()
    const isSsh = ssh.count() > 0 ||
      (yield* readEvents(folder.directory)).some(({ _tag, at }) => at >= since && _tag.startsWith("ssh_"))
    const named = [...new Set([...programs.map(nameOf), ...(isSsh ? ["SSH connections"] : [])])]
    const isLeft = named.length === 0 && pointMarks.hasPrograms && uses.count <= 1 &&
      journal.commands.every(({ end }) => end !== undefined)
    return isLeft ? ["processes that commands left"] : named
  })
