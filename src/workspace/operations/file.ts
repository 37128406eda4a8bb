import { Effect } from "effect"
import { editFile } from "../content/files/edit.ts"
import { listFiles } from "../content/files/list.ts"
import { readFile } from "../content/files/read.ts"
import { writeFile } from "../content/files/write.ts"
import { guardOf } from "../residents/entry-residents.ts"
import type { Works } from "./work.ts"

/** The work of the operations on files. */
export const fileWorks = {
  "workspace.file.list": ({ channel }, payload) => listFiles(channel, payload),
  "workspace.file.read": ({ channel, entry }, payload) =>
    Effect.flatMap(guardOf(entry, payload), (secrets) => readFile(channel, payload, secrets)),
  "workspace.file.write": ({ generation }, payload) => writeFile(generation.channel, payload),
  "workspace.file.edit": ({ generation }, payload) => editFile(generation.channel, payload)
} satisfies Partial<Works>
