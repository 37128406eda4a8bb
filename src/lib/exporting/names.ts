import { pathText } from "../../contract/text/path-text.ts"
import { bytesOf } from "../../system/files/folded-name.ts"

/** A raw path of the guest for people. */
export const shown = (path: string) => path === "" ? "" : pathText(bytesOf(path))
