import { Duration, Effect, Random } from "effect"
import { InvalidRequest, type PyroError } from "../contract/errors/errors.ts"
import { payloadOf } from "../contract/rows/payload-of.ts"
import { Pyro } from "../contract/rows/Pyro.ts"
import { typed as asTyped } from "../contract/text/printable.ts"
import { decode, parse } from "./arguments/parser.ts"
import { note, OutputOptions, print } from "./output/print.ts"
import { demoCommand, DemoPayload } from "./rows/rows.ts"
import { type OutputClosed, Terminal } from "./terminal/Terminal.ts"

/** Time for a reader after each step. */
const READING = Duration.seconds(4)

/** Time after which pyro reports that a step still runs: a step takes seconds, and minutes on a busy host. */
const SILENCE = Duration.seconds(10)

/** Performs one command line, as a person would type it, and returns its exit status. Interrupted by the signal that ended the command line. */
type Type = (argv: ReadonlyArray<string>) => Effect.Effect<number, never, Terminal>

/** Shows the tour. Deletes its workspaces at the end, even after a failure. */
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
    }, { discard: true }).pipe(
      Effect.ensuring(leaveNothing(names)),
      Effect.onInterrupt(() => note("pyro: interrupted: the tour ended, and its workspaces are deleted\n")),
      Effect.provideService(OutputOptions, { quiet: typed.quiet, switches: new Set<string>() })
    )
    yield* print(`\n${afterwards}`)
    return 0
  })

/** Names that probably no workspace of the person has. */
const demoNames = Effect.map(
  Random.nextIntBetween(0x1000, 0x10000),
  (number) => [`demo-${number.toString(16)}`, `demo-${number.toString(16)}-copy`] as const
)

/** Continues after failing commands: they are a part of the story. */
const show = ({ say, type: argv }: Stop, step: string, type: Type) =>
  Effect.gen(function*() {
    const { colour, writeStdout } = yield* Terminal
    yield* writeStdout("\n")
    const heading = `${step}: ${say}`
    yield* writeStdout(colour ? `\x1b[36m${heading}\x1b[0m\n` : `# ${heading}\n`)
    yield* print(`$ pyro ${asTyped(argv)}\n`)
    const status = yield* Effect.scoped(Effect.andThen(Effect.forkScoped(reportRunning(step)), type(argv)))
    if (status !== 0) yield* print(`(exit status ${status})\n`)
  })

/** Reports repeatedly that a step still runs. */
const reportRunning = (step: string) =>
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
      Effect.forEach(names, (name) =>
        Effect.ignore(workspace.delete(payloadOf("workspace.delete", { workspaces: [name] }))), {
        discard: true
      })
  )

/** One stop of the tour: a sentence or two, and a command line. */
interface Stop {
  readonly say: string
  readonly type: ReadonlyArray<string>
}

const PROGRAM = `printf 'def add(a, b):\\n    return a - b\\n' > add.py
printf 'from add import add\\nassert add(2, 2) == 4, add(2, 2)\\nprint("passed")\\n' > test.py
python3 -B test.py`

/** The stops, in a workspace and a fork with these names. */
export const tour = (name: string, fork: string): ReadonlyArray<Stop> => [
  {
    say:
      "A workspace is a Linux machine with a kernel of its own. This one is empty; --seed-path . would copy a directory to it.",
    type: ["create", "--name", name]
  },
  {
    say: "A program with a mistake, and its test.",
    type: ["exec", name, "--script", PROGRAM]
  },
  {
    say: "An edit names the text that it replaces. Agents have this as a tool.",
    type: ["file", "edit", name, "add.py", "--old-text", "a - b", "--new-text", "a + b"]
  },
  { say: "The test again.", type: ["exec", name, "python3", "-B", "test.py"] },
  { say: "A snapshot keeps the disk and the memory.", type: ["snapshot", "create", name, "green"] },
  {
    say: "Then something goes wrong, as root, without a question.",
    type: ["exec", name, "rm", "-rf", "/usr", "/home", "/workspace/add.py"]
  },
  { say: "Nothing works any more. Your host has noticed nothing.", type: ["exec", name, "ls"] },
  { say: "Do not repair it. Go back.", type: ["reset", name, "--snapshot", "green"] },
  { say: "As if nothing had happened.", type: ["exec", name, "python3", "-B", "test.py"] },
  {
    say: "The guest has no network, until you grant hosts with --allow-host.",
    type: ["exec", name, "curl", "--silent", "--show-error", "https://example.org"]
  },
  {
    say: "A fork is a copy of the running machine, to try something else.",
    type: ["fork", name, "--name", fork]
  },
  {
    say: "The copy goes its own way.",
    type: ["exec", fork, "--script", "echo 'def double(a): return add(a, a)' >> add.py"]
  },
  { say: "What makes one out of the other, as a patch.", type: ["compare", name, fork] },
  {
    say: "A server in the guest, ready when it answers, on a port of this host.",
    type: [
      ...["service", "start", name, "web", "--ready-tcp", "8000", "--publish", "8000"],
      ...["python3", "-m", "http.server", "8000"]
    ]
  },
  { say: "All that changed. Only an export that you ask for writes to your files.", type: ["diff", name] },
  { say: "Nothing of it stays.", type: ["delete", name, fork] }
]

/** Shown at the end. */
const afterwards = `Your own:
  pyro create --seed-path . --name fix   a copy of this directory
  pyro host connect claude-code          workspaces as tools of your agent; pyro host --help names the others
  pyro agent claude-code                 the agent itself in a workspace
`
