import { Clock, Effect } from "effect"
import type { DiskUsage } from "../../contract/rows/disk-usage.ts"
import type { ConfigResult } from "../../contract/rows/host.ts"
import { typedTold } from "../../contract/rows/next-steps.ts"
import type { ResultOf } from "../../contract/rows/operations.ts"
import { count } from "../../contract/text/count.ts"
import { someLines } from "../../contract/text/one-line.ts"
import { typed } from "../../contract/text/printable.ts"
import { ago, note, print, size } from "../output/print.ts"
import { beneath, painted, printTable } from "../output/table.ts"
import type { View, Views } from "./view.ts"

type Setting = ConfigResult["settings"][number]

/** Variables that every program has. */
const EVERYWHERE = ["COLUMNS", "HOME", "PATH", "TERM", "USER"]

const isOfInterest = ({ daemon, group, name, source }: Setting) =>
  group === "pyro" || daemon !== undefined || (source === "environment" && !EVERYWHERE.includes(name))

/** Meaning of the value 0, as the purpose says it. Undefined: 0 of the unit. */
const zeroOf = (purpose: string) => /; 0: ([^.;]+)/.exec(purpose)?.[1]

const valueText = ({ otherwise, purpose, unit, value }: Pick<Setting, "otherwise" | "purpose" | "unit" | "value">) => {
  if (value === undefined) return (otherwise ?? "none").replaceAll("`", "")
  const zero = value === 0 ? zeroOf(purpose) : undefined
  if (zero !== undefined) return `0 (${zero})`
  return unit === undefined ? String(value) : `${value} ${unit}`
}

/** The value that holds: that of the daemon where it differs. */
const settingRow = ({ daemon, name, otherwise, purpose, source, unit, value }: Setting) => {
  const [held, from] = daemon === undefined ? [value, source] : [daemon.value, "daemon"]
  return [
    name,
    valueText({
      purpose,
      ...(held === undefined ? {} : { value: held }),
      ...(otherwise === undefined ? {} : { otherwise }),
      ...(unit === undefined ? {} : { unit })
    }),
    from
  ]
}

type Metrics = NonNullable<ResultOf<"daemon.status">["metrics"]>

/** The metrics in one line; `--json` shows all of them. */
const metricsLine = ({ bytes, liveVms, operations, pool }: Metrics) => {
  const total = operations.reduce((sum, { count }) => sum + count, 0)
  const failed = operations.reduce((sum, { count, outcome }) => outcome === "ok" ? sum : sum + count, 0)
  return `operations: ${total}, ${failed} failed; microVMs: ${liveVms}, ${pool.members} in the pool ` +
    `(${pool.hits} hits, ${pool.misses} misses); in: ${size(bytes.seed + bytes.push)}, ` +
    `out: ${size(bytes.export + bytes.output)}\n`
}

/** Maximum workspaces in the table of disk use. */
const NAMED_WORKSPACES = 5

const furtherWorkspaces = (further: DiskUsage["workspaces"]) =>
  further.length === 0
    ? []
    : [[beneath(`and ${further.length} more`), size(further.reduce((sum, { bytes }) => sum + bytes, 0))]]

/** The uses of the host's disk, as a table. */
const diskText = ({ budgetBytes, evictableBytes, freeBytes, usedBytes, uses, workspaces }: DiskUsage) =>
  printTable([
    ["DISK", "SIZE"],
    ...uses.map(({ bytes, what }) => [what, size(bytes)]),
    ...workspaces.slice(0, NAMED_WORKSPACES).map(({ bytes, workspace }) => [beneath(workspace), size(bytes)]),
    ...furtherWorkspaces(workspaces.slice(NAMED_WORKSPACES)),
    ["total", `${size(usedBytes)}${budgetBytes === undefined ? "" : ` of ${size(budgetBytes)}`}`],
    ["evictable", size(evictableBytes)],
    ["free", size(freeBytes)]
  ], { head: true })

const status: View<"daemon.status"> = {
  result: ({ disk, logPath, metrics, pid, running, startedAt, version, vms }) =>
    Effect.all([
      print(
        (running ? `running: process ${pid}, pyro ${version}, since ${startedAt}\n` : "not running\n") +
          `log: ${logPath}\n` +
          (metrics === undefined ? "" : metricsLine(metrics))
      ),
      vms.length === 0 ? Effect.void : printTable([
        ["VM", "PURPOSE", "WORKSPACE", "PID", "MEMORY"],
        ...vms.map((vm) => [vm.id, vm.purpose, vm.workspace ?? "-", String(vm.pid ?? "-"), `${vm.memoryMib} MiB`])
      ], { head: true }),
      diskText(disk)
    ], { discard: true })
}

type Operation = ResultOf<"daemon.timings">["operations"][number]

const facts = (attributes: Operation["attributes"]) =>
  Object.entries(attributes).map(([name, value]) => `${name}=${String(value)}`).join(" ")

const msText = (ms: number) => `${ms < 10 ? ms.toFixed(1) : String(Math.round(ms))} ms`

/** One line for the operation and one for each step, indented by its depth. */
const timingRows = ({ attributes, durationMs, omittedSteps, operation, outcome, startedAt, steps }: Operation) => [
  [painted("bold", operation), startedAt, msText(durationMs), `${outcome} ${facts(attributes)}`.trim()],
  ...steps.map((step) => [
    beneath(step.name, step.depth + 1),
    `+${msText(step.startMs)}`,
    msText(step.durationMs),
    `${step.outcome === "ok" ? "" : step.outcome} ${facts(step.attributes)}`.trim()
  ]),
  ...(omittedSteps === 0 ? [] : [[beneath(count(omittedSteps, "more step")), "", "", ""]])
]

const timings: View<"daemon.timings"> = {
  result: ({ operations, slowMs }) =>
    operations.length === 0
      ? note(`no operation of a running daemon took ${slowMs} ms or more\n`)
      : printTable([["STEP", "START", "TIME", ""], ...operations.flatMap(timingRows)], { head: true })
}

/** Removed files that people know by no name, as a number of each kind. */
const unnamedKinds = [
  ["image", /^[0-9a-f]{64}$/],
  ["template", /^template /],
  ["copy of a project", /^seed /, "copies of projects"]
] as const

/** Names in one line. */
const MOST_KEEPERS = 10

/** When the bytes of removed files are free. Running microVMs may have a copy of a project open. */
const freed = ({ freedBytes, keptBy = [], removed: all }: ResultOf<"env.rm">) => {
  if (keptBy.length > 0) {
    return `${size(freedBytes)} freed, once these are deleted: ${someLines(keptBy, MOST_KEEPERS).join(", ")}\n`
  }
  return all.some((one) => one.startsWith("seed "))
    ? `${size(freedBytes)} freed, as soon as no running workspace uses them\n`
    : `${size(freedBytes)} freed\n`
}

const removed = (result: ResultOf<"env.rm">) => {
  const { freedBytes, removed: all } = result
  const names = all.filter((one) => !unnamedKinds.some(([, pattern]) => pattern.test(one)))
  const others = unnamedKinds.flatMap(([noun, pattern, plural]) => {
    const found = all.filter((one) => pattern.test(one)).length
    return found === 0 ? [] : [count(found, noun, plural)]
  })
  return print(
    names.map((one) => `removed ${one}\n`).join("") +
      (others.length === 0 ? "" : `removed ${others.join(", ")}\n`) +
      (all.length === 0 && freedBytes === 0 ? "nothing to remove\n" : freed(result))
  )
}

/** Lines about the programs of an environment's image: variables, user, command. */
const imageLines = (
  { image, imageDigest, mirror }: ResultOf<"env.inspect">
): ReadonlyArray<readonly [string, string]> => {
  if (image === undefined) return []
  const { command, entrypoint, env, exposedPorts, healthCheck, labels, labelsLeftOut: left = 0, volumes = [] } = image
  const { stopSignal, user, workingDirectory } = image
  const texts = Object.entries(labels).map(([name, value]) => `${name}=${value.replaceAll("\n", "\\n")}`)
  const lines: ReadonlyArray<readonly [string, string | undefined]> = [
    ["manifest", imageDigest],
    ["mirror", mirror],
    ["user", user ?? "root"],
    ["directory", workingDirectory],
    ["command", typed([...entrypoint, ...command])],
    ["ports", exposedPorts.join(" ")],
    ["stop signal", stopSignal],
    ["health check", healthCheck === undefined ? undefined : typed(healthCheck.command)],
    ["volumes", volumes.join(" ")],
    ...[...texts, ...left === 0 ? [] : [`and ${left} more`]].map((one, at) => [at === 0 ? "labels" : "", one] as const),
    ...env.map((one, at) => [at === 0 ? "variables" : "", one] as const)
  ]
  return lines.flatMap(([name, value]) => value === undefined || value === "" ? [] : [[name, value] as const])
}

type Listed = ResultOf<"env.list">["environments"][number]

/** Commands that renew the outdated environments of a list. */
const renewals = (environments: ReadonlyArray<Pick<Listed, "name" | "next">>) =>
  Effect.forEach(
    environments,
    ({ name, next }) =>
      next === undefined
        ? Effect.void
        : note(`${typedTold({ message: `${name} is of an older recipe and works as before`, next })}\n`),
    { discard: true }
  )

const ready = (environment: ResultOf<"env.pull">) =>
  print(`${environment.name} is ${environment.state}: ${environment.digest ?? "no digest"}\n`)

export const hostViews = {
  "config": {
    result: ({ settings }) =>
      Effect.gen(function*() {
        yield* printTable([
          ["SETTING", "VALUE", "FROM"],
          ...settings.filter(isOfInterest).map(settingRow)
        ], { head: true })
        const stale = settings.filter(({ daemon }) => daemon !== undefined)
        if (stale.length > 0) {
          yield* note(
            `pyro: warning: the running daemon has other values than this shell: ${
              stale.map(({ name }) => name).join(", ")
            }; to use this shell's: pyro daemon stop (workspaces go on)\n`
          )
        }
        yield* note(
          "A running daemon has the values of its start; change a variable, then: pyro daemon stop. " +
            "All variables: pyro config --json, docs/configuration.md\n"
        )
      })
  },
  "daemon.status": status,
  "daemon.stop": { result: ({ stopped }) => print(stopped ? "stopped\n" : "no daemon was running\n") },
  "daemon.logs": { result: ({ text }) => print(text) },
  "daemon.timings": timings,
  "env.list": {
    result: ({ environments }) =>
      Effect.andThen(
        Effect.flatMap(Clock.currentTimeMillis, (nowMs) =>
          printTable([
            ["NAME", "ORIGIN", "STATE", "BUILT", "SIZE", "DESCRIPTION"],
            ...environments.map((one) => [
              one.name,
              one.origin,
              one.state,
              one.builtAt === undefined ? "-" : ago(one.builtAt, nowMs),
              size(one.sizeBytes),
              one.description
            ])
          ], { head: true, flexible: [0, 5] })),
        renewals(environments)
      )
  },
  "env.pull": { result: ready },
  "env.build": { result: ready },
  "workspace.commit": { result: ready },
  "env.import": { result: ready },
  "env.export": {
    result: ({ bytes, environment, imageDigest, output }) =>
      print(`${output}: ${environment}, ${size(bytes)}\nimage ${imageDigest}\n`)
  },
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
          ...imageLines(environment),
          ["packages", String(environment.packages.length)]
        ]),
        Effect.andThen(
          printTable(environment.packages.map((one) => [beneath(one.name), one.version])),
          renewals([environment])
        )
      )
  },
  "env.rm": { result: removed },
  "env.prune": { result: (result) => Effect.andThen(removed(result), diskText(result.disk)) },
  "doctor": {
    event: (line) =>
      print(
        `${line.ok ? "ok    " : "WRONG "}${line.name}: ${line.found}\n` +
          (line.fix === undefined ? "" : `      ${line.ok ? "better" : "fix it"} with: ${line.fix}\n`)
      ),
    result: ({ lines, ok }) =>
      print(ok ? "no problems found\n" : `${lines.filter((line) => !line.ok).length} of ${lines.length} need a fix\n`)
  },
  "prepare": {
    event: (event) => event._tag === "Prepared" ? print(`${event.environment.name} is ready\n`) : Effect.void,
    result: () => print("pyro is ready. Create a workspace: pyro create --seed-path .\n")
  },
  "gc": {
    result: ({ disk, freedBytes, removed }) =>
      Effect.andThen(
        print(
          removed.map(({ kind, what }) => `removed ${kind === "build" ? what : `${kind} ${what}`}\n`).join("") +
            (removed.length === 0 ? "nothing to remove\n" : `${size(freedBytes)} freed\n`)
        ),
        diskText(disk)
      )
  }
} satisfies Views
