import { Effect } from "effect"
import { InvalidRequest, type PyroError } from "../contract/errors/errors.ts"
import {
  addContext,
  chosenName,
  findContext,
  listContexts,
  LOCAL,
  type RemoteContext,
  removeContext,
  useContext
} from "../remote/contexts.ts"
import { isDoorUrl } from "../remote/door-url.ts"
import { decode, parse, type Typed } from "./arguments/parser.ts"
import { note, OutputOptions, print, printJson } from "./output/print.ts"
import { printTable } from "./output/table.ts"
import { withPaths } from "./perform/host-paths.ts"
import type { ContextCommand } from "./rows/context.ts"
import { type OutputClosed, Terminal } from "./terminal/Terminal.ts"

/** Performs a command of `pyro context` and returns the exit status. */
export const performContext = (
  command: ContextCommand,
  words: ReadonlyArray<string>,
  rest: ReadonlyArray<string> | undefined
): Effect.Effect<number, PyroError | OutputClosed, Terminal> =>
  Effect.gen(function*() {
    const typed = yield* parse(command, words, rest)
    yield* Effect.provideService(performTyped(command, typed), OutputOptions, {
      quiet: typed.quiet,
      switches: new Set<string>()
    })
    return 0
  })

/** A token and a newline. */
const MAX_TOKEN_BYTES = 4_096

const jsonOf = ({ command = "pyro", name, url, ...files }: RemoteContext) => ({
  name,
  url,
  ...(isDoorUrl(url) ? files : { command })
})

const performTyped = (command: ContextCommand, { json, raw }: Typed) =>
  Effect.gen(function*() {
    switch (command.name) {
      case "context.add": {
        const { readFile, resolvePath } = yield* Terminal
        const { tokenFile, ...way } = yield* decode(
          command.cli,
          command.payload(),
          withPaths(command.cli, raw, resolvePath)
        )
        const token = tokenFile === undefined ? undefined : yield* Effect.mapError(
          Effect.map(readFile(tokenFile, MAX_TOKEN_BYTES), (bytes) => Buffer.from(bytes).toString("utf8").trim()),
          ({ detail }) => new InvalidRequest({ field: "--token-file", detail })
        )
        const added = yield* addContext({ ...way, token })
        if (json) return yield* printJson(jsonOf(added))
        return yield* note(`next: pyro doctor --context ${added.name}\nnext: pyro context use ${added.name}\n`)
      }
      case "context.use": {
        const { name } = yield* decode(command.cli, command.payload(), raw)
        yield* useContext(name)
        return yield* json ? printJson({ name }) : Effect.void
      }
      case "context.list": {
        const [{ contexts, damaged }, used] = [yield* listContexts, yield* chosenName(undefined)]
        for (const error of damaged) yield* note(`pyro: ${error.message}\n`)
        if (json) {
          return yield* printJson({ contexts: contexts.map(jsonOf), ...(used === undefined ? {} : { used }) })
        }
        const mark = (name: string) => name === (used ?? LOCAL) ? "*" : ""
        return yield* printTable([
          ["", "NAME", "ADDRESS"],
          [mark(LOCAL), LOCAL, "this machine"],
          ...contexts.map(({ name, url }) => [mark(name), name, url])
        ], { head: true })
      }
      case "context.show": {
        const { name = yield* chosenName(undefined) } = yield* decode(command.cli, command.payload(), raw)
        if (name === undefined || name === LOCAL) {
          return yield* json ? printJson({ name: LOCAL }) : print(`${LOCAL}: this machine\n`)
        }
        const found = yield* findContext(name)
        if (json) return yield* printJson(jsonOf(found))
        const started = isDoorUrl(found.url) ? "" : `, started as \`${found.command ?? "pyro"}\``
        return yield* print(`${found.name}: ${found.url}${started}\n`)
      }
      case "context.remove": {
        const { name } = yield* decode(command.cli, command.payload(), raw)
        yield* removeContext(name)
        return yield* json ? printJson({ name }) : Effect.void
      }
    }
  })
