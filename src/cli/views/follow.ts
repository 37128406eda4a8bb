import { Effect, Schema, Stream } from "effect"
import { type TimelineEntries, TimelineResult } from "../../contract/rows/workspace-timeline.ts"
import { type ObservedWorkspace, WorkspacesChanged } from "../../contract/rows/workspace-watch.ts"
import { rowText } from "../../contract/text/one-line.ts"
import { typed } from "../../contract/text/printable.ts"
import { note, print, printJsonLines, size } from "../output/print.ts"
import type { View, Views } from "./view.ts"

/** Indents the further lines of a text, so that they do not look like entries. */
const lineOf = ({ at, text }: { readonly at: string; readonly text: string }) =>
  `${at}  ${text.trimEnd().replaceAll("\n", "\n    ")}\n`

const timeline = ({ entries }: Pick<TimelineEntries, "entries">) => print(entries.map(lineOf).join(""))

const timelineView: View<"workspace.timeline"> = {
  result: ({ entries }) => entries.length === 0 ? note("nothing happened\n") : timeline({ entries }),
  perform: (pyro, payload, json) =>
    payload.follow
      ? Effect.as(
        Stream.runForEach(pyro.workspace.timeline(payload), ({ entries }) =>
          json
            ? Effect.flatMap(
              Effect.orDie(Schema.encodeEffect(TimelineResult())({ entries })),
              (encoded) => printJsonLines(encoded.entries)
            )
            : timeline({ entries })),
        { _tag: "Shown", status: 0 }
      )
      : undefined
}

const lastCommand = ({ lastCommand }: ObservedWorkspace) =>
  lastCommand === undefined
    ? ""
    : `  ${rowText(typed(lastCommand.command).slice(0, 60))}: ${lastCommand.outcome}${
      lastCommand.status === undefined ? "" : ` ${lastCommand.status}`
    }`

const changeOf = (one: ObservedWorkspace) =>
  `${one.workspace.name ?? one.workspace.id}  ${one.workspace.state}` +
  `${one.cpuPercent === undefined ? "" : `  ${one.cpuPercent.toFixed(1)}%`}` +
  `${one.memoryBytes === undefined ? "" : `  ${size(one.memoryBytes)}`}${lastCommand(one)}\n`

const changes = ({ at, gone, workspaces }: WorkspacesChanged) =>
  print([...workspaces.map(changeOf), ...gone.map((id) => `${id}  deleted\n`)].map((line) => `${at}  ${line}`).join(""))

const watchView: View<"workspace.watch"> = {
  result: ({ workspaces }) => print(workspaces.map(changeOf).join("")),
  perform: (pyro, payload, json) =>
    Effect.as(
      Stream.runForEach(pyro.workspace.watch(payload), (event) =>
        json
          ? Effect.flatMap(
            Effect.orDie(Schema.encodeEffect(WorkspacesChanged())(event)),
            (encoded) => printJsonLines([encoded])
          )
          : changes(event)),
      { _tag: "Shown", status: 0 }
    )
}

export const followViews = {
  "workspace.timeline": timelineView,
  "workspace.watch": watchView
} satisfies Views
