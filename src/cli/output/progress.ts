import { Effect, Stream } from "effect"
import { ChannelFailed, EnvironmentBuildFailed, type PyroError } from "../../contract/errors/errors.ts"
import { typedTold } from "../../contract/rows/next-steps.ts"
import type { Notice } from "../../contract/rows/notice.ts"
import type { CliSurface, Folding } from "../../contract/rows/operation.ts"
import { printable } from "../../contract/text/printable.ts"
import { Terminal } from "../terminal/Terminal.ts"
import { OutputOptions } from "./print.ts"
import { cutEnd, widthFor } from "./table.ts"

const BAR_CELLS = 24
const CLEAR_LINE = "\r\u001b[2K"

/** Maximum printed lines that are remembered. An error has fewer. */
const MOST_LINES = 100

/**
 * Shows notices on stderr. On a terminal, progress is one line that is overwritten and then cleared; elsewhere it is
 * one line per step. Warnings and hints stay. Nothing with `--quiet`. `cli`: the command that runs.
 */
export const makeProgress = (cli?: CliSurface) =>
  Effect.map(Effect.all([Terminal, OutputOptions]), ([terminal, { quiet }]) => {
    let drawn = false
    let last = ""
    /** Lines of the newest step that printed some. */
    let lines: Array<string> = []
    let isNewStep = false

    const clear = Effect.suspend(() => {
      if (!drawn) return Effect.void
      drawn = false
      return terminal.writeStderr(CLEAR_LINE)
    })

    const show = (notice: Notice): Effect.Effect<void> => {
      if (quiet) return Effect.void
      const message = printable(typedTold(notice, cli)).replaceAll("\n", " ")
      if (notice.level === "output") {
        lines = isNewStep ? [notice.message] : [...lines.slice(-MOST_LINES), notice.message]
        isNewStep = false
        return Effect.andThen(clear, terminal.writeStderr(`  ${message}\n`))
      }
      if (notice.level !== "progress") {
        return Effect.andThen(clear, terminal.writeStderr(`pyro: ${notice.level}: ${message}\n`))
      }
      isNewStep = true
      if (terminal.stderrIsTerminal) {
        drawn = true
        const line = bar(notice.fraction) + message
        // A line that wraps cannot be overwritten.
        return Effect.flatMap(
          Effect.zip(terminal.size, widthFor([line])),
          ([{ cols }, width]) => terminal.writeStderr(CLEAR_LINE + cutEnd(line, cols - 1, width))
        )
      }
      if (message === last) return Effect.void
      last = message
      return terminal.writeStderr(`pyro: ${message}\n`)
    }

    /** An error without the lines that stand above it already. */
    const unprinted = <E>(error: E): E =>
      error instanceof EnvironmentBuildFailed && lines.length > 0
        ? new EnvironmentBuildFailed({
          ...error,
          detail: error.detail.split("\n").filter((line) => !lines.includes(line)).join("\n")
        }) as E
        : error

    return { show, clear, unprinted } as const
  })

const bar = (fraction: number | undefined) => {
  if (fraction === undefined) return ""
  const share = Math.min(1, Math.max(0, fraction))
  const full = Math.round(share * BAR_CELLS)
  return `[${"#".repeat(full)}${" ".repeat(BAR_CELLS - full)}] ${String(Math.round(share * 100)).padStart(3)}% `
}

export interface Tagged {
  readonly _tag: string
}

type Progress = Effect.Success<ReturnType<typeof makeProgress>>

/** An operation with events, and how it is typed. */
interface Row<Payload, Event, Result> {
  readonly fold: (payload: Payload) => Folding<Event, Result>
  readonly cli: CliSurface
}

/** Folds the events of an operation to its result. `show` gets each event. */
const foldEvents = <Payload, Event extends Tagged, Result, E, R, Failure>(
  { cli, fold }: Row<Payload, Event, Result>,
  payload: Payload,
  events: Stream.Stream<Event, Failure>,
  show: (event: Event, progress: Progress) => Effect.Effect<unknown, E, R>
) =>
  Effect.gen(function*() {
    const folding = fold(payload)
    const progress = yield* makeProgress(cli)
    yield* Stream.runForEach(events, (event) => {
      folding.add(event)
      return show(event, progress)
    }).pipe(Effect.ensuring(progress.clear), Effect.mapError(progress.unprinted))
    return folding.result() ?? (yield* new ChannelFailed({ detail: "the stream of events ended without its last" }))
  })

const isNotice = (event: Tagged): event is Notice => event._tag === "Notice"

/** Shows the notices of an operation, prints nothing else, and returns the result. */
export const withProgress = <Payload, Event extends Tagged, Result, E>(
  row: Row<Payload, Event, Result>,
  payload: Payload,
  events: Stream.Stream<Event, E>
) => foldEvents(row, payload, events, (event, progress) => isNotice(event) ? progress.show(event) : Effect.void)

/** Shows events as they arrive (with `json` only `Started`) and returns their result. */
export const printEvents = <Payload, Result, E, R>(
  row: Row<Payload, Tagged, Result>,
  payload: Payload,
  json: boolean,
  events: Stream.Stream<Tagged, PyroError>,
  show: (event: Tagged) => Effect.Effect<unknown, E, R>
) =>
  foldEvents(row, payload, events, (event, progress): Effect.Effect<unknown, E, R> => {
    if (json && event._tag !== "Started") return Effect.void
    return isNotice(event) ? progress.show(event) : Effect.andThen(progress.clear, show(event))
  })
