import { printable, typed } from "../../../contract/text/printable.ts"

/**
 * Text that may come from a guest. Its control and invisible characters become escapes, and its direction stays inside. React makes text of it,
 * never HTML.
 */
export const Text = ({ of, className }: { readonly of: string; readonly className?: string }) => (
  <bdi className={className}>{printable(of)}</bdi>
)

/** Words of a command, as one could type them. */
export const commandText = (words: ReadonlyArray<string>): string => printable(typed(words))
