import { Effect } from "effect"
import type { WorkspaceInfo } from "../../contract/rows/workspace-info.ts"
import { oneLine } from "../../contract/text/one-line.ts"
import type { Change, Difference } from "../../project/differences.ts"
import type { Down } from "../../project/down.ts"
import type { Shown } from "../../project/show.ts"
import type { Up } from "../../project/up.ts"
import { note, print } from "../output/print.ts"

const nameOf = ({ id, name }: WorkspaceInfo) => name ?? id

const valueText = (value: unknown) => value === undefined ? "nothing" : JSON.stringify(value)

const lineOf = ({ before, key, now }: Difference) =>
  `  ${oneLine(key)}: ${oneLine(valueText(before))} -> ${oneLine(valueText(now))}\n`

const linesOf = (all: ReadonlyArray<Difference>) => all.map(lineOf).join("")

/** Changes that only a new workspace gets. */
const ofNewText = ({ ofNew }: Change) =>
  ofNew.length === 0
    ? ""
    : `the file differs from the workspace:\n${
      linesOf(ofNew)
    }Make the workspace again, without its files: pyro up --recreate\n`

const portsOf = ({ ports = [] }: WorkspaceInfo) =>
  ports.map(({ guestPort, hostPort, service }) =>
    `  ${service ?? "port"} ${guestPort}${hostPort === undefined ? "" : `: http://127.0.0.1:${hostPort}`}\n`
  ).join("")

export const showUp = ({ change, was, workspace }: Up) =>
  Effect.gen(function*() {
    const name = nameOf(workspace)
    yield* print(was === "running" ? `${name} runs already\n` : `${name} is ${was}, and runs\n`)
    yield* print(portsOf(workspace))
    if (change.applicable.length > 0) yield* note(`changed in the workspace:\n${linesOf(change.applicable)}`)
    yield* note(ofNewText(change))
    if (was === "created") yield* note(`next: pyro exec ${name} COMMAND, pyro diff ${name}, pyro down\n`)
  })

const differencesJson = (all: ReadonlyArray<Difference>) =>
  all.map(({ before = null, key, now = null }) => ({ key, before, now }))

export const upJson = ({ change, file, was, workspace }: Up) => ({
  project: file.directory,
  file: file.path,
  workspace: workspace.id,
  ...(workspace.name === undefined ? {} : { name: workspace.name }),
  was,
  ports: portsJson(workspace),
  changed: differencesJson(change.applicable),
  needs_recreate: differencesJson(change.ofNew)
})

const portsJson = ({ ports = [] }: WorkspaceInfo) =>
  ports.map(({ guestPort, hostPort, service }) => ({
    guest_port: guestPort,
    ...(hostPort === undefined ? {} : { host_port: hostPort }),
    ...(service === undefined ? {} : { service })
  }))

export const showDown = ({ file, outcome, workspace }: Down) => {
  switch (outcome) {
    case "none":
      return note(`${file.directory} has no workspace\n`)
    case "unchanged":
      return note(`${workspace} does not run\n`)
    default:
      return print(`${workspace} is ${outcome}\n`)
  }
}

export const downJson = ({ file, outcome, workspace }: Down) => ({
  project: file.directory,
  ...(workspace === undefined ? {} : { workspace }),
  outcome
})

export const showProject = ({ asks, change, file, isGranted, workspace }: Shown) =>
  Effect.gen(function*() {
    yield* print(`file       ${file.path}\n`)
    yield* print(`workspace  ${workspace === undefined ? "none" : `${nameOf(workspace)}, ${workspace.state}`}\n`)
    const asked = asks.length === 0 ? "nothing" : isGranted ? "granted" : "not granted"
    yield* print(`asks for   ${asked}\n${asks.map((ask) => `  ${oneLine(ask)}\n`).join("")}`)
    if (change === undefined) return
    if (change.applicable.length > 0) yield* print(`pyro up changes:\n${linesOf(change.applicable)}`)
    yield* print(ofNewText(change))
  })

export const shownJson = ({ asks, change, file, isGranted, workspace }: Shown) => ({
  project: file.directory,
  file: file.path,
  asks,
  granted: isGranted,
  ...(workspace === undefined ? {} : { workspace: workspace.id, state: workspace.state }),
  ...(change === undefined
    ? {}
    : { changes: differencesJson(change.applicable), needs_recreate: differencesJson(change.ofNew) })
})
