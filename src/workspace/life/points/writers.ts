import { Effect } from "effect"
import { Programs } from "../../../lib/guest-channel/model/calls.ts"
import type { Entry } from "../../entry/entry.ts"
import { readEvents, type WorkspaceLogEvent } from "../../entry/events.ts"
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
 * Whether SSH connections may have been served since a moment before those that `ssh` knows. A process that was killed has written no end of a visit.
 */
const servedBefore = (
  events: ReadonlyArray<WorkspaceLogEvent>,
  { knowsFromMs }: Pick<OpenResidents["ssh"], "knowsFromMs">,
  sinceMs: number
): boolean => {
  if (sinceMs >= knowsFromMs) return false
  const visits = events.filter(({ _tag, at }) =>
    (_tag === "ssh_opened" || _tag === "ssh_closed") && Date.parse(at) < knowsFromMs
  )
  const last = visits.at(-1)
  return last !== undefined && (last._tag === "ssh_opened" || Date.parse(last.at) >= sinceMs)
}

/**
 * Programs that may have written after a moment, beside the commands from a place on: services, shells, SSH connections, and earlier commands that went
 * on. What they wrote since is undone with these commands.
 */
export const writersSince = (
  { folder, uses }: Pick<Entry, "folder" | "uses">,
  { commands: { journal }, ssh }: Pick<OpenResidents, "commands" | "ssh">,
  { from, programs: seen, sinceMs }: { readonly from: number; readonly programs: number; readonly sinceMs: number }
): Effect.Effect<ReadonlyArray<string>> =>
  Effect.gen(function*() {
    const undone = new Set(journal.steps.slice(from).map(({ start }) => start.id))
    const programs = journal.commands.filter((one) => !undone.has(one.start.id) && ranSince(one, sinceMs))
    const isSsh = ssh.usedSince(sinceMs) || servedBefore(yield* readEvents(folder.directory), ssh, sinceMs)
    const named = [...new Set([...programs.map(nameOf), ...(isSsh ? ["SSH connections"] : [])])]
    // An agent of an older pyro says only that programs run: those with a name may be all.
    const mayBeLeft = seen === Programs.unknown && named.length === 0 && uses.count <= 1 &&
      journal.commands.every(({ end }) => end !== undefined)
    return seen === Programs.left || mayBeLeft ? [...named, "processes that commands left"] : named
  })
