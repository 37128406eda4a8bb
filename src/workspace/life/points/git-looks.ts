import { Effect, Option } from "effect"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import { deadlineScale } from "../../../system/settings/deadline-scale.ts"
import type { Entry } from "../../entry/entry.ts"
import type { Span } from "../../entry/record.ts"
import type { CommandStart, JournaledCommand } from "../../residents/exec/journal.ts"
import { defaultsOf, directoryOf } from "../../residents/program/command-defaults.ts"
import { guestEnvironment } from "../../residents/program/command.ts"
import type { Point } from "../records/point.ts"
import { isUnchanged, isUndone } from "./lineage.ts"
import { gitUseOf, isLook } from "./looks.ts"

/** Settings by which a look of git runs other programs, or writes: an extended regular expression of git's canonical names. */
const RUNS_PROGRAMS = [
  "core\\.(fsmonitor|sshcommand|gitproxy|alternaterefscommand)",
  "diff\\.external",
  "diff\\..*\\.(command|textconv)",
  "filter\\..*\\.(clean|smudge|process)",
  "log\\.showsignature",
  "extensions\\.partialclone",
  "remote\\..*\\.promisor",
  "trace2\\.(normal|perf|event)target",
  "hook\\..*\\.command"
].join("|")

const BEGIN = "pyro-git-begin"
const END = "pyro-git-end"

/**
 * Prints the settings of git that run programs, in the directory to which the arguments lead. No END: git runs others in any case, or nobody knows. Such
 * are git as a function of a shell, variables of a profile, the hook that git's index has, and submodules, whose settings are their own.
 */
const PROBE = `for step; do cd -- "$step" || exit 0; done
case $(command -v git) in /*) ;; *) exit 0 ;; esac
if env | grep -Eq '^(GIT_|LD_)'; then exit 0; fi
printf '\\0%s\\0' ${BEGIN}
git config -z --get-regexp '^(${RUNS_PROGRAMS})$' || [ $? = 1 ] || exit 0
hook=$(git rev-parse --git-path hooks/post-index-change 2>/dev/null) || hook=
if [ -n "$hook" ] && [ -x "$hook" ]; then exit 0; fi
if git ls-files -s 2>/dev/null | grep -q '^160000 '; then exit 0; fi
printf '\\0%s\\0' ${END}`

/** The shell of a look, or sh in a guest without it. */
const IN_SHELL = "if command -v \"$1\" >/dev/null; then exec \"$@\"; fi; shift; exec /bin/sh \"$@\""

/** The settings of Git LFS, whose programs write in git's directory alone. */
const LFS: ReadonlyMap<string, string> = new Map([
  ["filter.lfs.clean", "git-lfs clean -- %f"],
  ["filter.lfs.smudge", "git-lfs smudge -- %f"],
  ["filter.lfs.process", "git-lfs filter-process"]
])

const isHarmless = (setting: string): boolean => {
  const [name = "", value = "true"] = setting.split(/\n([^]*)/)
  return LFS.get(name) === value ||
    (/^(core\.fsmonitor|log\.showsignature|remote\..*\.promisor)$/.test(name) && /^(|0|false|no|off)$/i.test(value))
}

/** Whether the answer of a probe says that git runs no other program. */
export const runsGitAlone = (answer: string): boolean => {
  const parts = answer.split("\0")
  const begin = parts.lastIndexOf(BEGIN)
  const end = parts.lastIndexOf(END)
  return begin !== -1 && end > begin && parts.slice(begin + 1, end).every((one) => one === "" || isHarmless(one))
}

/** Where and as whom git ran. */
interface Place {
  readonly shell: readonly [string, string] | undefined
  readonly cwd: string
  readonly user: string
  readonly steps: ReadonlyArray<string>
}

/** The places of a look. Undefined: they are not known. */
const placesOf = (start: CommandStart): ReadonlyArray<Place> | undefined => {
  const use = gitUseOf(start)
  return use?.directories.map((steps) => ({
    shell: use.shell,
    cwd: directoryOf(start.cwd),
    user: start.user ?? "",
    steps
  }))
}

/** Longest answer of a probe. A longer one has too many settings to be harmless. */
const MAX_ANSWER = 65_536

/** Asks the guest's git, as the command ran. */
const probe = (channel: GuestChannel, { cwd, shell, steps, user }: Place, env: Readonly<Record<string, string>>) =>
  Effect.scoped(Effect.gen(function*() {
    const words = shell === undefined
      ? ["/bin/sh", "-c", PROBE, "sh", ...steps] as const
      : ["/bin/sh", "-c", IN_SHELL, "sh", ...shell, PROBE, "sh", ...steps] as const
    const process = yield* channel.spawn({ argv: words, env: guestEnvironment({ env, tty: false }), cwd, user })
    let answer = ""
    yield* process.forEachOutput(({ bytes, from }) =>
      Effect.sync(() => {
        if (from === "stdout" && answer.length <= MAX_ANSWER) answer += Buffer.from(bytes).toString("latin1")
      })
    )
    return answer.length <= MAX_ANSWER && runsGitAlone(answer)
  })).pipe(Effect.interruptible, Effect.orElseSucceed(() => false))

/** Most places that the guest is asked about, the newest first. */
const MAX_PLACES = 8

/** Longest wait for the guest's answers. */
const LIMIT_MS = 1_000 * deadlineScale

/** Git's settings may have changed since the look: what they run now counts, and what they ran in between has changed them by a step. */
const askedOf = (entry: Entry, places: ReadonlyMap<string, Place>) =>
  Effect.gen(function*() {
    const alone = new Set<string>()
    const { state } = yield* entry.state.now
    const generation = yield* entry.generation.now
    if (state !== "running" || Option.isNone(generation)) return alone
    const { env = {} } = yield* defaultsOf(entry)
    yield* Effect.forEach([...places], ([key, place]) =>
      Effect.map(probe(generation.value.channel, place, env), (isAlone) =>
        isAlone ? void alone.add(key) : undefined)).pipe(Effect.timeoutOption(LIMIT_MS))
    return alone
  })

/**
 * Ids of those commands that are looks by their words, and that git's configuration may have made write: textconv, filters, hooks and the like. The disk
 * alone says what they changed. So it does if the guest does not answer.
 */
export const doubtedLooks = (
  entry: Entry,
  points: ReadonlyArray<Point>,
  undone: ReadonlyArray<Span>,
  steps: ReadonlyArray<JournaledCommand>
): Effect.Effect<ReadonlySet<string>> =>
  Effect.gen(function*() {
    const asked = new Map<string, Place>()
    const looks = steps.flatMap(({ start }, at) =>
      !isUndone(undone, at) && isLook(start) && !isUnchanged(points, undone, at)
        ? [{ id: start.id, places: placesOf(start) }]
        : []
    ).filter(({ places }) => places === undefined || places.length > 0)
    if (looks.length === 0) return new Set<string>()
    for (const { places = [] } of looks.toReversed()) {
      for (const place of places) if (asked.size < MAX_PLACES) asked.set(JSON.stringify(place), place)
    }
    const alone = yield* askedOf(entry, asked)
    return new Set(
      looks.filter(({ places }) => !(places ?? [undefined]).every((place) => alone.has(JSON.stringify(place) ?? "")))
        .map(({ id }) => id)
    )
  })
