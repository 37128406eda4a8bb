import { Effect, Option, Schema, Stream } from "effect"
import { ChannelFailed } from "../../contract/errors/errors.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import { type WatchedWorkspace, type WatchPayload, WatchTable } from "../../contract/rows/workspace-events.ts"
import { count } from "../../contract/text/count.ts"
import { print, printJson, size } from "../output/print.ts"
import { tableText } from "../output/table.ts"
import { Terminal } from "../terminal/Terminal.ts"
import type { View, Views } from "./view.ts"

const row = (one: WatchedWorkspace): ReadonlyArray<string> => [
  one.id,
  one.name ?? "-",
  one.state,
  one.cpuPercent === undefined ? "-" : `${one.cpuPercent.toFixed(1)}%`,
  size(one.memoryBytes),
  size(one.sharedBytes),
  size(one.diskBytes),
  ...[one.execs, one.services, one.shells, one.ports].map(String)
]

/** A table of workspaces as text, as wide as the terminal. */
const topTable = ({ workspaces }: WatchTable): Effect.Effect<string, never, Terminal> =>
  Effect.gen(function*() {
    const { colour, size: sizeOf, stdoutIsTerminal } = yield* Terminal
    const width = stdoutIsTerminal ? (yield* sizeOf).cols : Number.POSITIVE_INFINITY
    return yield* tableText([
      ["ID", "NAME", "STATE", "CPU", "MEMORY", "SHARED", "DISK", "EXECS", "SERVICES", "SHELLS", "PORTS"],
      ...workspaces.map(row)
    ], { head: true, flexible: [1], width, colour })
  })

/** Enter the alternate screen without a cursor, and leave it. */
const ENTER = "\u001b[?1049h\u001b[?25l"
const LEAVE = "\u001b[?25h\u001b[?1049l"
const HOME = "\u001b[H"
/** Clears the rest of a line, and all below it. */
const CLEAR_LINE = "\u001b[K"
const CLEAR_BELOW = "\u001b[J"

/** q, Q and Ctrl-C, which is a byte in raw mode. */
const QUITS = new Set([0x71, 0x51, 0x03])

/** Time between two tables. Only the second is printed, because it has the CPU use. */
const BETWEEN_MS = 500

const draw = (table: WatchTable) =>
  Effect.gen(function*() {
    const terminal = yield* Terminal
    const { rows } = yield* terminal.size
    const head = `pyro top  ${table.at.slice(11, 19)} UTC  ${count(table.workspaces.length, "workspace")}  (q to leave)`
    const lines = [head, "", ...(yield* topTable(table)).trimEnd().split("\n")].slice(0, rows - 1)
    yield* terminal.writeStdout(HOME + lines.map((line) => `${line}${CLEAR_LINE}\r\n`).join("") + CLEAR_BELOW)
  })

/** Waits for a key that ends the display, or for the end of the terminal. */
const quit = Effect.flatMap(
  Terminal,
  ({ stdin }) => Stream.runHead(Stream.filter(stdin, (bytes) => bytes.some((byte) => QUITS.has(byte))))
)

/** Shows the table until a key or a signal ends the display. Restores the terminal. */
const live = (pyro: PyroService, payload: WatchPayload) =>
  Effect.gen(function*() {
    const terminal = yield* Terminal
    const signalled = yield* terminal.interceptSignal
    yield* Effect.acquireRelease(terminal.writeStdout(ENTER), () => Effect.ignore(terminal.writeStdout(LEAVE)))
    if (terminal.stdinIsTerminal) yield* terminal.raw
    let last: WatchTable | undefined
    const tables = Stream.runForEach(pyro.watch(payload), (table) => draw(last = table))
    const redraw = Effect.suspend(() => last === undefined ? Effect.void : draw(last))
    const resizes = Effect.andThen(Stream.runForEach(terminal.resizes, () => redraw), Effect.never)
    yield* Effect.raceAll([
      tables,
      resizes,
      terminal.stdinIsTerminal ? Effect.asVoid(quit) : Effect.never,
      signalled
    ])
  }).pipe(Effect.scoped)

const once = (pyro: PyroService, payload: WatchPayload, json: boolean) =>
  Effect.gen(function*() {
    const table = yield* Stream.runLast(Stream.take(pyro.watch({ ...payload, intervalMs: BETWEEN_MS }), 2))
    if (Option.isNone(table)) return yield* new ChannelFailed({ detail: "the daemon ended before the first table" })
    yield* json
      ? Effect.flatMap(Effect.orDie(Schema.encodeEffect(WatchTable())(table.value)), printJson)
      : Effect.flatMap(topTable(table.value), print)
  })

/** `pyro top`: live on a terminal, else one table. */
const watchView: View<"watch"> = {
  result: (table) => Effect.flatMap(topTable(table), print),
  perform: (pyro, payload, json) =>
    Effect.flatMap(
      Terminal,
      ({ stdoutIsTerminal }) =>
        Effect.as(json || !stdoutIsTerminal ? once(pyro, payload, json) : live(pyro, payload), {
          _tag: "Shown",
          status: 0
        })
    )
}

export const topViews = { "watch": watchView } satisfies Views
