import { Effect } from "effect"
import type { OperationName, PayloadOf } from "../../contract/rows/operations.ts"
import { Pyro } from "../../contract/rows/Pyro.ts"
import { typed } from "../../contract/text/printable.ts"
import { note, OutputOptions } from "../output/print.ts"
import type { Prepared } from "./prepare.ts"

/** What remains after an interruption. Operations that people end by Ctrl-C have none. */
type Remains = {
  readonly [Name in OperationName]?: (payload: PayloadOf<Name>) => string
}

/** A change of a workspace that happens whole or not at all. */
const whole = (what: string) => ({ workspace }: { readonly workspace: string }) =>
  `${what} is whole, or did not happen; see: ${typed(["pyro", "timeline", workspace])}`

/** Work whose first parts may have been done. */
const begun = ({ workspace }: { readonly workspace: string }) =>
  `${workspace} may have a part of the files; see: ${typed(["pyro", "diff", workspace])}`

const unwritten = ({ output }: { readonly output?: string }) =>
  output === undefined || output === "-" ? "the output is not complete" : `${output} is whole, or was not written`

const anew = (what: string) => `nothing of ${what} is used; the same command starts again`

const remains: Remains = {
  "run": () => "the command ended, and its microVM is gone",
  "workspace.exec": ({ detach, execId, waitSeconds, workspace }) =>
    detach || execId !== undefined || waitSeconds !== undefined
      ? `a started command goes on; its output: ${
        typed(["pyro", "logs", workspace, ...(execId === undefined ? [] : [execId])])
      }`
      : `the command ended, and ${workspace} stays`,
  "workspace.fork": ({ workspace }) => `a half-made fork does not stay; ${workspace} is unchanged`,
  "workspace.try": ({ workspace }) => `the candidates are deleted, and ${workspace} is as it was`,
  "workspace.keep": whole("the change"),
  "workspace.reset": whole("the reset"),
  "workspace.rewind": whole("the rewind"),
  "workspace.snapshot.create": whole("the snapshot"),
  "workspace.snapshot.save": whole("the saved snapshot"),
  "workspace.pause": whole("the pause"),
  "workspace.resume": whole("the resume"),
  "workspace.stop": whole("the stop"),
  "workspace.start": whole("the start"),
  "workspace.import": begun,
  "workspace.sync.push": begun,
  "workspace.export": unwritten,
  "workspace.disk.export": unwritten,
  "saved.export": unwritten,
  "env.export": unwritten,
  "saved.import": () => anew("the saved snapshot"),
  "env.import": () => anew("the environment"),
  "env.pull": ({ environment }) => anew(environment),
  "env.build": ({ name }) => anew(name ?? "the environment"),
  "workspace.commit": () => anew("the environment"),
  "prepare": () => "the finished steps stay; the same command does the others"
}

/** Maximum time of the question for a workspace that may have been made. */
const ASKING = "2 seconds"

/** A creation leaves nothing. The interruption of one that had just ended finds the workspace. */
const ofCreation = ({ name }: PayloadOf<"workspace.create">) =>
  name === undefined
    ? Effect.succeed("a half-made workspace does not stay")
    : Effect.flatMap(Pyro, (pyro) =>
      pyro.workspace.status({ workspace: name }).pipe(
        Effect.as(`the workspace ${name} is there; ${typed(["pyro", "delete", name])} deletes it`),
        Effect.catchTag("WorkspaceNotFound", () => Effect.succeed(`no workspace ${name} was made`)),
        Effect.timeout(ASKING),
        Effect.catch(() => Effect.succeed("a half-made workspace does not stay"))
      ))

/** Says after an interruption in one line what remains. JSON has the interruption itself. */
export const sayRemains = ({ json, operation: { name }, outputOptions, payload }: Omit<Prepared, "cli">) =>
  Effect.gen(function*() {
    if (json) return
    const text = name === "workspace.create"
      ? yield* ofCreation(payload as PayloadOf<"workspace.create">)
      : (remains[name] as ((payload: unknown) => string) | undefined)?.(payload)
    if (text !== undefined) yield* note(`pyro: interrupted: ${text}\n`)
  }).pipe(Effect.provideService(OutputOptions, outputOptions))
