import { Effect, Option, Ref, Schema, Stream } from "effect"
import { ChannelFailed } from "../contract/errors/errors.ts"
import type { PyroService } from "../contract/rows/Pyro.ts"
import { type WatchPayload, WatchTable } from "../contract/rows/workspace-events.ts"
import { print, printJson } from "./print.ts"
import { Terminal } from "./terminal.ts"
import { topTable } from "./top-table.ts"

/** The alternate screen, without a cursor; and the screen and cursor of before. */
const ENTER = "\u001b[?1049h\u001b[?25l"
const LEAVE = "\u001b[?25h\u001b[?1049l"
const HOME = "\u001b[H"
/** Clears the rest of a line, and all below it. */
const CLEAR_LINE = "\u001b[K"
const CLEAR_BELOW = "\u001b[J"

/** q, Q and Ctrl-C, which a terminal in raw mode gives as a byte. */
const QUITS = new Set([0x71, 0x51, 0x03])

/** Time between two tables of which only the second is printed: it has the use of CPUs. */
const BETWEEN_MS = 500

const count = (workspaces: number) => `${workspaces} workspace${workspaces === 1 ? "" : "s"}`

const draw = (table: WatchTable) =>
  Effect.gen(function*() {
    const terminal = yield* Terminal
    const { rows } = yield* terminal.size
    const head = `pyro top  ${table.at.slice(11, 19)} UTC  ${count(table.workspaces.length)}  (q to leave)`
    const lines = [head, "", ...(yield* topTable(table)).trimEnd().split("\n")].slice(0, rows - 1)
    yield* terminal.writeStdout(HOME + lines.map((line) => `${line}${CLEAR_LINE}\r\n`).join("") + CLEAR_BELOW)
  })

/** Waits for a key that ends the display, or for the end of the terminal. */
const quit = Effect.flatMap(
  Terminal,
  ({ stdin }) => Stream.runHead(Stream.filter(stdin, (bytes) => bytes.some((byte) => QUITS.has(byte))))
)

/** Shows the table until a key or a signal ends the display. The terminal is then as it was before. */
const live = (pyro: PyroService, payload: WatchPayload) =>
  Effect.gen(function*() {
    const terminal = yield* Terminal
    const signalled = yield* terminal.interceptSignal
    yield* Effect.acquireRelease(terminal.writeStdout(ENTER), () => Effect.ignore(terminal.writeStdout(LEAVE)))
    if (terminal.stdinIsTerminal) yield* terminal.raw
    const last = yield* Ref.make(Option.none<WatchTable>())
    const redraw = Effect.flatMap(Ref.get(last), Option.match({ onNone: () => Effect.void, onSome: draw }))
    const tables = Stream.runForEach(pyro.watch(payload), (table) =>
      Effect.andThen(Ref.set(last, Option.some(table)), redraw))
    const resizes = Effect.andThen(
      Stream.runForEach(terminal.resizes, () =>
        redraw),
      Effect.never
    )
    yield* Effect.raceAll([
      tables,
      resizes,
      terminal.stdinIsTerminal ? Effect.asVoid(quit) : Effect.never,
      signalled
    ])
  }).pipe(Effect.scoped)

const once = (pyro: PyroService, json: boolean) =>
  Effect.gen(function*() {
    const table = yield* Stream.runLast(Stream.take(pyro.watch({ intervalMs: BETWEEN_MS }), 2))
    if (Option.isNone(table)) return yield* new ChannelFailed({ detail: "the daemon ended before the first table" })
    yield* json
      ? Effect.flatMap(Effect.orDie(Schema.encodeEffect(WatchTable())(table.value)), printJson)
      : Effect.flatMap(topTable(table.value), print)
  })

/** Performs `pyro top`: live in a terminal, else one table. */
export const performTop = (pyro: PyroService, payload: WatchPayload, json: boolean) =>
  Effect.flatMap(Terminal, ({ stdoutIsTerminal }) => json || !stdoutIsTerminal ? once(pyro, json) : live(pyro, payload))
