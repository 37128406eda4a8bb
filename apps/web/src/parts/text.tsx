import { printable, typed } from "../../../../src/contract/text/printable.ts"
import { partsOf } from "./blanks.ts"

/**
 * Text that may come from a guest. Its control and invisible characters become escapes, blanks at its ends and several in a row stay in sight, and
 * its direction stays inside. React makes text of it, never HTML.
 */
export const Text = ({ of, className }: { readonly of: string; readonly className?: string }) => (
  <bdi className={className}>
    {partsOf(of).map(({ isBlank, text }, at) => isBlank ? <span key={at} className="blanks">{text}</span> : text)}
  </bdi>
)

/** Text of pyro in several lines, with parts that may come from a guest, in an element that keeps newlines and blanks. */
export const Message = ({ of }: { readonly of: string }) => <bdi>{printable(of)}</bdi>

/** Words of a command, as one could type them. */
export const commandText = (words: ReadonlyArray<string>): string => printable(typed(words))
