import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll } from "vitest"
import { Programs } from "../../../../../src/lib/guest-channel/model/calls.ts"
import type { Entry } from "../../../../../src/workspace/entry/entry.ts"
import { writersSince } from "../../../../../src/workspace/life/points/writers.ts"
import type { OpenResidents } from "../../../../../src/workspace/residents/open/open.ts"
import { temporaryFolder } from "../../../../support/pyro-cli.ts"

const { folder: directory, remove } = temporaryFolder("pyro-writers-")
afterAll(remove)

/** Times around the start of a process, in ms since 1970. */
const began = Date.parse("2026-01-01T00:00:00.000Z")
const [early, middle, late, now] = [began - 60_000, began - 30_000, began - 1_000, began + 1_000]

const event = (_tag: "ssh_opened" | "ssh_closed", ms: number) => ({
  _tag,
  at: new Date(ms).toISOString(),
  user: "root",
  ...(_tag === "ssh_closed" ? { connections: 1, sessions: 1, sentBytes: 1 } : {})
})

/** Who may have written, in a workspace in which no command ran, with these events and connections of this process. */
const named = (sinceMs: number, events: ReadonlyArray<object>, usedSince: (ms: number) => boolean = () => false) => {
  fs.writeFileSync(path.join(directory, "events.jsonl"), events.map((one) => `${JSON.stringify(one)}\n`).join(""))
  const entry = {
    folder: { directory },
    uses: { count: 1, lastMs: 0 }
  } as unknown as Entry
  const residents = {
    commands: { journal: { commands: [], steps: [] } },
    ssh: { knowsFromMs: began, usedSince }
  } as unknown as Pick<OpenResidents, "commands" | "ssh">
  return writersSince(entry, residents, { from: 0, programs: Programs.none, sinceMs })
}

const SSH = ["SSH connections"]

it.effect("SSH connections are named also if their visit began before, and not if only its end came after", () =>
  Effect.gen(function*() {
    const visit = [event("ssh_opened", now), event("ssh_closed", now + 60_000)]
    assert.deepStrictEqual(yield* named(now + 10, visit, (ms) => ms <= now + 20), SSH)
    assert.deepStrictEqual(yield* named(now + 30, visit, (ms) => ms <= now + 20), [])
  }))

it.effect("SSH connections of an earlier process are named by the events, also if a kill has left out their end", () =>
  Effect.gen(function*() {
    const visit = [event("ssh_opened", early), event("ssh_closed", middle)]
    assert.deepStrictEqual(yield* named(early + 10, visit), SSH)
    assert.deepStrictEqual(yield* named(late, visit), [])
    assert.deepStrictEqual(yield* named(late, visit.slice(0, 1)), SSH)
    assert.deepStrictEqual(yield* named(now, visit.slice(0, 1)), [])
    assert.deepStrictEqual(yield* named(early, []), [])
  }))
