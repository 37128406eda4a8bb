import { spawn } from "node:child_process"

/** Keeps this machine busy, as the compilers and tests beside an agent do, until `end`. */
export const startLoad = (processes: number) => {
  const children = Array.from(
    { length: processes },
    () => spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" })
  )
  return { end: () => children.forEach((child) => child.kill("SIGKILL")) } as const
}
