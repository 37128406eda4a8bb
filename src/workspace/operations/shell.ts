import { Effect, Ref } from "effect"
import type { Works } from "./work.ts"

/** The work of the operations on shells. */
export const shellWorks = {
  "workspace.shell.open": ({ entry, generation, shells }, payload) =>
    Effect.flatMap(
      Ref.get(entry.record),
      ({ memoryMib, workspaceUser }) =>
        shells.open({ ...generation, memoryMib }, { ...payload, user: payload.user ?? workspaceUser })
    ),
  "workspace.shell.list": ({ shells }) => shells.list,
  "workspace.shell.read": ({ shells }, payload) => shells.read(payload),
  "workspace.shell.write": ({ shells }, payload) => shells.write(payload),
  "workspace.shell.attach": { pulls: ({ shells }, payload, input) => shells.attach(payload, input) },
  "workspace.shell.resize": ({ shells }, payload) => shells.resize(payload),
  "workspace.shell.signal": ({ shells }, payload) => shells.signal(payload),
  "workspace.shell.close": ({ shells }, payload) => shells.close(payload)
} satisfies Partial<Works>
