import headless from "@xterm/headless"
import { typed } from "../../../src/contract/text/printable.ts"
import { onTerminal } from "../../cli/cli-process.ts"
import { pyroPath, until } from "../pyro-cli.ts"

/** Runs pyro, then says whether the modes of the terminal are those of before, and keeps pyro's status. */
const checked = (before: string, enter: ReadonlyArray<string>) =>
  `${before}before=$(stty -g); ${typed(enter)} "$@"; status=$?; ` +
  "for n in $(seq 100); do [ \"$before\" = \"$(stty -g)\" ] && echo modes restored && break; sleep 0.1; done; (exit $status)"

/**
 * pyro on a terminal of 30 rows and 100 columns. `enter` are words before the command, and `before` is what the shell around it does
 * first.
 */
export const checkedTerminal = (
  args: ReadonlyArray<string>,
  { before = "", enter = [], env }: {
    readonly before?: string
    readonly enter?: ReadonlyArray<string>
    readonly env: Readonly<Record<string, string>>
  }
) => {
  const { ended, screen, terminal } = onTerminal({ entry: pyroPath, env }, checked(before, enter), args)
  const emulator = new headless.Terminal({ rows: 30, cols: 100, allowProposedApi: true })
  terminal.onData((text) => emulator.write(text))
  /** Waits until the terminal got a text, as its bytes are. */
  const seen = (what: string, from = 0) =>
    until(
      () => `${JSON.stringify(what)} on the screen, which has ${JSON.stringify(screen())}`,
      () => screen().slice(from).includes(what)
    )
  /** The text that a person reads now. */
  const shown = () => {
    const { active } = emulator.buffer
    const lines = Array.from({ length: emulator.rows }, (_, at) => active.getLine(active.viewportY + at))
    return lines.map((line) => line?.translateToString(true) ?? "").join("\n")
  }
  /** Waits until a person reads a text. */
  const shows = async (what: string | RegExp, timeoutMs?: number) => {
    try {
      await until("", () => typeof what === "string" ? shown().includes(what) : what.test(shown()), timeoutMs)
    } catch {
      throw new Error(`${String(what)} is not on the screen, which has:\n${shown()}`)
    }
  }
  return { ended, screen, seen, shown, shows, terminal } as const
}
