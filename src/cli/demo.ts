import { Duration, Effect, Random } from "effect"
import { InvalidRequest, type PyroError } from "../contract/errors/errors.ts"
import { Pyro } from "../contract/rows/Pyro.ts"
import { typed as asTyped } from "../contract/text/printable.ts"
import { demoCommand, DemoPayload } from "./demo-command.ts"
import { afterwards, type Stop, tour } from "./demo/tour.ts"
import { decode, parse } from "./parser.ts"
import { print } from "./print.ts"
import { type OutputClosed, Terminal } from "./terminal.ts"

/** Time for a reader of each step, beside the time that the step takes. */
const READING = Duration.seconds(4)

/** Time after which a step that goes on says so: a step takes seconds, and minutes on a busy host. */
const SILENCE = Duration.seconds(10)

/** Performs one command line, as the person would type it, and gives its exit status. */
export type Type = (argv: ReadonlyArray<string>) => Effect.Effect<number, never, Terminal>

/** Shows the tour. Its workspaces are deleted at the end, whatever the end is. */
export const performDemo = (
  words: ReadonlyArray<string>,
  rest: ReadonlyArray<string> | undefined,
  type: Type
): Effect.Effect<number, PyroError | OutputClosed, Pyro | Terminal> =>
  Effect.gen(function*() {
    const typed = yield* parse(demoCommand, words, rest)
    if (typed.json) return yield* new InvalidRequest({ field: "--json", detail: "a tour is for people" })
    const { fast } = yield* decode(demoCommand.cli, DemoPayload(), typed.raw)
    const { stdoutIsTerminal } = yield* Terminal
    const wait = fast || !stdoutIsTerminal ? Effect.void : Effect.sleep(READING)
    const names = yield* demoNames
    const stops = tour(...names)
    yield* Effect.forEach(stops, (stop, at) => {
      const step = `step ${at + 1} of ${stops.length}`
      return Effect.andThen(show(stop, step, type), wait)
    }, { discard: true }).pipe(Effect.ensuring(leaveNothing(names)))
    yield* print(`\n${afterwards}`)
    return 0
  })

/** Names that no workspace of the person has, in all likelihood. */
const demoNames = Effect.map(
  Random.nextIntBetween(0x1000, 0x10000),
  (number) => [`demo-${number.toString(16)}`, `demo-${number.toString(16)}-copy`] as const
)

/** Failing commands are a part of the story: it goes on. */
const show = ({ say, type: argv }: Stop, step: string, type: Type) =>
  Effect.gen(function*() {
    const { colour, writeStdout } = yield* Terminal
    yield* writeStdout("\n")
    const heading = `${step}: ${say}`
    yield* writeStdout(colour ? `\x1b[36m${heading}\x1b[0m\n` : `# ${heading}\n`)
    yield* print(`$ pyro ${asTyped(argv)}\n`)
    const status = yield* Effect.scoped(Effect.andThen(Effect.forkScoped(goesOn(step)), type(argv)))
    if (status !== 0) yield* print(`(exit status ${status})\n`)
  })

/** Says again and again that a step goes on, in the place of a line of progress. */
const goesOn = (step: string) =>
  Effect.flatMap(Terminal, ({ stderrIsTerminal, writeStderr }) =>
    Effect.gen(function*() {
      for (let count = 1;; count++) {
        yield* Effect.sleep(SILENCE)
        const line = `pyro: ${step} goes on after ${count * Duration.toSeconds(SILENCE)} s\n`
        yield* writeStderr(`${stderrIsTerminal ? "\r\x1b[K" : ""}${line}`)
      }
    }))

const leaveNothing = (names: ReadonlyArray<string>) =>
  Effect.flatMap(
    Pyro,
    ({ workspace }) =>
      Effect.forEach(names, (name) => Effect.ignore(workspace.delete({ workspaces: [name], all: false })), {
        discard: true
      })
  )
