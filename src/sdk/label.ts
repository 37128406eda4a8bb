import { MAX_LABEL_CHARACTERS } from "../contract/rows/workspace-field.ts"
import { sha256Hex } from "../system/files/digest.ts"

/** Begins a value that stands for a name in full. */
const MARK = "~sha256:"

const VALUE = new RegExp(`^[\\x20-\\x7e]{0,${MAX_LABEL_CHARACTERS}}$`)

/**
 * A name of a program or a framework, such as a URI or a pair of UUIDs, of any length, as the value of a label. Equal names have equal values, and different
 * names different ones, so that `list({ labels })` finds the workspace of a name.
 *
 * A name of printable ASCII with up to 256 characters is the value itself. Any other name is `~sha256:` and the SHA-256 of its UTF-8.
 *
 * @example
 * const labels = { conversation: labelOf("https://example.com/threads/42") }
 * const [thread = await pyro.create({ labels, memoryMib: 256 })] = await pyro.list({ labels })
 */
export const labelOf = (name: string): string =>
  VALUE.test(name) && !name.startsWith(MARK) ? name : MARK + sha256Hex(new TextEncoder().encode(name))
