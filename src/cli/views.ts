import { Clock, Effect } from "effect"
import type { OperationName, ResultOf } from "../contract/rows/operations.ts"
import { note, print, showOutput, size } from "./print.ts"
import { printTable } from "./table.ts"
import { ago } from "./time-text.ts"
import type { View } from "./view.ts"
import { configViews } from "./views-config.ts"
import { contentViews } from "./views-content.ts"
import { daemonViews, diskText } from "./views-daemon.ts"
import { eventViews } from "./views-events.ts"
import { logsView } from "./views-logs.ts"
import { networkViews } from "./views-network.ts"
import { portViews } from "./views-port.ts"
import { serviceViews } from "./views-services.ts"
import { shellViews } from "./views-shell.ts"
import { workspaceViews } from "./views-workspace.ts"

const removed = (result: ResultOf<"env.rm">) =>
  print(
    result.removed.map((one) => `removed ${one}\n`).join("") +
      (result.removed.length === 0 && result.freedBytes === 0
        ? "nothing to remove\n"
        : `${size(result.freedBytes)} freed\n`)
  )

const ready = (environment: ResultOf<"env.pull">) =>
  print(`${environment.name} is ${environment.state}: ${environment.digest ?? "no digest"}\n`)

export const views: { readonly [Name in OperationName]: View<Name> } = {
  ...workspaceViews,
  ...contentViews,
  ...configViews,
  ...daemonViews,
  ...networkViews,
  ...portViews,
  ...eventViews,
  ...shellViews,
  ...serviceViews,
  "workspace.logs": logsView,
  "run": {
    event: showOutput,
    result: (result) => {
      switch (result.outcome) {
        case "exited":
          return Effect.void
        case "signaled":
          return note(`pyro: signal ${result.signal ?? result.status - 128} ended the command\n`)
        case "timed_out":
          return note(`pyro: the command ran past its timeout and was killed (--timeout-seconds)\n`)
        case "out_of_memory":
          return note(`pyro: the guest ran out of memory and killed the command; give it more with --mem-mib\n`)
      }
    }
  },
  "workspace.summary": { result: ({ text }) => print(`${text}\n`) },
  "env.list": {
    result: ({ environments }) =>
      Effect.flatMap(Clock.currentTimeMillis, (nowMs) =>
        printTable([
          ["NAME", "ORIGIN", "STATE", "BUILT", "SIZE", "DIGEST", "DESCRIPTION"],
          ...environments.map((one) => [
            one.name,
            one.origin,
            one.state,
            one.builtAt === undefined ? "-" : ago(one.builtAt, nowMs),
            size(one.sizeBytes),
            one.digest?.replace(/^sha256:/, "").slice(0, 12) ?? "-",
            one.description
          ])
        ], { head: true, flexible: [6] }))
  },
  "env.pull": { result: ready },
  "env.build": { result: ready },
  "env.inspect": {
    result: (environment) =>
      Effect.andThen(
        printTable([
          ["name", environment.name],
          ["description", environment.description],
          ["origin", environment.origin],
          ["state", environment.state],
          ["digest", environment.digest ?? "-"],
          ["size", size(environment.sizeBytes)],
          ["built", environment.builtAt ?? "-"],
          ["image", environment.imagePath ?? "-"],
          ["kernel", environment.kernelVersion ?? "-"],
          ["packages", String(environment.packages.length)]
        ]),
        printTable(environment.packages.map((one) => [`  ${one.name}`, one.version]))
      )
  },
  "env.rm": { result: removed },
  "env.prune": { result: (result) => Effect.andThen(removed(result), diskText(result.disk)) },
  "doctor": {
    event: (line) =>
      print(
        `${line.ok ? "ok    " : "WRONG "}${line.name}: ${line.found}\n` +
          (line.mend === undefined ? "" : `      ${line.ok ? "better" : "mend it"} with: ${line.mend}\n`)
      ),
    result: ({ lines, ok }) =>
      print(ok ? "all is well\n" : `${lines.filter((line) => !line.ok).length} of ${lines.length} need mending\n`)
  },
  "prepare": {
    event: (event) => event._tag === "Prepared" ? print(`${event.environment.name} is ready\n`) : Effect.void,
    result: () => print("pyro is ready. Create a workspace: pyro create --seed-path .\n")
  },
  "gc": {
    result: ({ disk, freedBytes, swept }) =>
      Effect.andThen(
        print(
          swept.map(({ kind, what }) => `swept ${kind} ${what}\n`).join("") +
            (swept.length === 0 ? "nothing to sweep\n" : `${size(freedBytes)} freed\n`)
        ),
        diskText(disk)
      )
  }
}
