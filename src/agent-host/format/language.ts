import type { Result } from "effect"
import type { Change } from "./json.ts"

/** A language of configuration files. */
export interface Format {
  /** The document's value, or why there is none. An empty text is an empty document. */
  readonly parse: (text: string) => Result.Result<unknown, string>
  /** Changes one value and keeps all other text. The result may be wrong for rare forms: `edit` checks it. */
  readonly change: (text: string, value: unknown, change: Change) => string
}

export type FormatName = "json" | "toml" | "yaml"
