import { Effect } from "effect"
import type { ConfigResult } from "../contract/rows/host.ts"
import { note } from "./print.ts"
import { printTable } from "./table.ts"
import type { View } from "./view.ts"

type Setting = ConfigResult["settings"][number]

/** Variables that each program has, whatever they say about pyro. */
const EVERYWHERE = ["COLUMNS", "HOME", "PATH", "TERM"]

const isOfInterest = ({ group, name, source }: Setting) =>
  group === "pyro" || (source === "environment" && !EVERYWHERE.includes(name))

const valueText = ({ otherwise, unit, value }: Setting) =>
  value === undefined
    ? (otherwise ?? "none").replaceAll("`", "")
    : unit === undefined
    ? String(value)
    : `${value} ${unit}`

export const configViews = {
  "config": {
    result: ({ settings }) =>
      Effect.andThen(
        printTable([
          ["SETTING", "VALUE", "FROM"],
          ...settings.filter(isOfInterest).map((one) => [one.name, valueText(one), one.source])
        ], { head: true }),
        note(
          "A running daemon has the values of its start; change a variable, then: pyro daemon stop. " +
            "All variables: pyro config --json, docs/configuration.md\n"
        )
      )
  } satisfies View<"config">
}
