import type { KnownFile } from "../../system/files/replace.ts"
import type { FormatName } from "../format/language.ts"
import type { HostFileRecord } from "./record.ts"

/** A configuration file with its value. */
export interface Document {
  readonly known: KnownFile
  readonly format: FormatName
  readonly value: unknown
}

/** One file before and after a change. */
export interface FileChange {
  readonly known: KnownFile
  /** Undefined: the file goes. */
  readonly after: string | undefined
  /** The file has nothing but what pyro wrote, so it needs no backup. */
  readonly disposable?: boolean
  /** What a later `disconnect` needs; undefined: nothing of pyro is left. */
  readonly record?: HostFileRecord | undefined
}
