import * as assert from "node:assert"
import type { InsideName } from "../../../src/contract/rows/agent-host.ts"
import type { installation } from "../installation.ts"
import { insideOf } from "./inside-of.ts"

/** On a terminal: draws a full screen with its arguments, and answers each line until `bye`. With pipes: prints its input. Ends with status 7. */
const program = `#!/bin/sh
if [ -t 0 ]; then
  printf '\\033[?1049h\\033[2J\\033[Hfake agent: %s\\n' "$*"
  stty size
  while read -r line && [ "$line" != bye ]; do echo "you said: $line"; done
  printf '\\033[?1049l'
else
  printf 'piped: '
  cat
fi
exit 7
`

/** A small program in the place of an agent of a workspace, until `restored`. */
export const fakeAgent = ({ call }: ReturnType<typeof installation>, workspace: string, agent: InsideName) => {
  const file = insideOf(agent).command.find((word) => word.startsWith("/"))!
  const asRoot = async (script: string, input = "") => {
    const words = ["workspace", "exec", workspace, "--user", "root", "--interactive", "--", "sh", "-ec", script]
    const { code, stderr } = await call(words, { input })
    assert.strictEqual(code, 0, stderr)
  }
  return {
    installed: asRoot(`mv ${file} ${file}.real; cat >${file}; chmod 755 ${file}`, program),
    restored: () => asRoot(`mv ${file}.real ${file}`)
  } as const
}
